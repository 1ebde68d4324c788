import { Problem, type Value } from '@ledge/contract';
import { z } from 'zod';
import type { Driver, DriverEnvironment, DriverProperty, Suggestion } from './driver.ts';
import { polledThing } from './polled.ts';

/** What `read` receives beside the property. */
export interface ReadContext<Options> {
  /** `options` of the thing, parsed by the driver's `options` schema. */
  options: Options;
  /** What it may touch of the machine. */
  environment: DriverEnvironment;
  /** Ends when the time for the reading is over (5 s, unless the device service's setting says otherwise), or the thing is closed. */
  signal: AbortSignal;
}

/** A driver that does nothing but measure when it is asked: see {@link defineSensor}. */
export interface Sensor<Options extends z.ZodType, Source extends z.ZodType> {
  /** What a thing file says as `driver`: lower-case letters, digits, hyphens. */
  readonly name: string;
  /** What it reads, in a few words for people. */
  readonly summary: string;
  /** A thing file that works, for the documentation and the page that adds things. */
  readonly example: string;
  /** A good start for a new thing, with comments; default: the example. */
  readonly template?: string;
  /** The thing's own options; default: it takes none. */
  readonly options?: Options;
  /** What a property says as `source`; default: nothing. */
  readonly source?: Source;
  /** Says in a sentence what this machine lacks, or undefined; default: it lacks nothing. */
  unavailable?(environment: DriverEnvironment): Promise<string | undefined>;
  /** What is plugged in now and could be a thing. Cheap: nothing is measured. */
  found?(environment: DriverEnvironment): Promise<Suggestion[]>;
  /**
   * Measures one property. What it throws is that property's fault, told to people in the error's own words, and the sensor is asked again
   * later; properties of one thing are asked one after the other.
   * @returns the raw value, before the thing file's `scale` and `offset`: number, boolean or text as the property's datatype wants it
   */
  read(property: DriverProperty<z.output<Source>>, context: ReadContext<z.output<Options>>): Promise<Value> | Value;
}

const nothing = z.strictObject({});
/** A schema that takes nothing. */
export type Nothing = z.ZodObject<Record<never, never>, z.core.$strict>;

/** Makes a driver of a {@link Sensor}: `export default` it from `drivers/<name>.ts`. */
export function defineSensor<Options extends z.ZodType = Nothing, Source extends z.ZodType = Nothing>(
  sensor: Sensor<Options, Source>,
): Driver<Options, Source> {
  const unavailable = async (environment: DriverEnvironment) => await sensor.unavailable?.(environment);
  const found = sensor.found?.bind(sensor);
  return {
    name: sensor.name,
    summary: sensor.summary,
    example: sensor.example,
    ...(sensor.template === undefined ? {} : { template: sensor.template }),
    ...(found ? { found } : {}),
    // without a schema of its own, the type of it is Nothing's
    options: sensor.options ?? (nothing as unknown as Options),
    source: sensor.source ?? (nothing as unknown as Source),
    unavailable,
    async open({ options, properties }, _sink, environment) {
      const why = await unavailable(environment);
      if (why) throw new Problem('driver-unavailable', why);
      return polledThing(properties, async (property, signal) => await sensor.read(property, { options, environment, signal }));
    },
  };
}
