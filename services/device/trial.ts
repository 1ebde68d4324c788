import { Problem, type TrialReading, type Value } from '@ledge/contract';
import type { DriverEnvironment, DriverSink, OpenThing, PropertyKey } from '@ledge/sdk';
import { messageOf } from './channel.ts';
import { toValue } from './sampling.ts';
import { closeInTime, type RunningThing, rejectsWith } from './thing.ts';
import type { ThingConfig, ThingProperty } from './things/load.ts';

export interface TrialPorts {
  environment: DriverEnvironment;
  /** The thing of this id that runs, if any: what it alone can hear is asked of it. */
  running: RunningThing | undefined;
  withinMs: number;
  /** Ends the trial early. */
  signal: AbortSignal;
}

/** Reads each property of a thing once. Nothing is said, kept or moved, and everything is given back. Never rejects. */
export async function tryOut(config: ThingConfig, ports: TrialPorts): Promise<TrialReading[]> {
  return await new Trial(config, ports).run();
}

class Trial {
  readonly #config: ThingConfig;
  readonly #ports: TrialPorts;
  readonly #startedMs: number;
  readonly #readings = new Map<PropertyKey, TrialReading>();
  readonly #complete = Promise.withResolvers<void>();

  constructor(config: ThingConfig, ports: TrialPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#startedMs = ports.environment.clock.monotonic();
  }

  async run(): Promise<TrialReading[]> {
    const { properties } = this.#config;
    for (const property of properties) {
      const heard = this.#ports.running?.heard(this.#config, property);
      if (heard !== undefined) this.#note(property.key, heard);
    }
    const left = properties.filter(({ key }) => !this.#readings.has(key));
    if (left.length > 0) await this.#inTime((time) => this.#read(left, time));
    return properties.flatMap(({ key }) => this.#readings.get(key) ?? []);
  }

  async #inTime(work: (time: AbortSignal) => Promise<void>): Promise<void> {
    const { environment, signal, withinMs } = this.#ports;
    const limit = new AbortController();
    const cancel = environment.clock.after(withinMs, () => limit.abort(failed(`it did not answer within ${withinMs / 1000} s`)));
    await work(AbortSignal.any([signal, limit.signal]));
    cancel();
  }

  async #read(properties: readonly ThingProperty[], time: AbortSignal): Promise<void> {
    const { environment, withinMs } = this.#ports;
    const { id, driver, options } = this.#config;
    const timeIsOver = rejectsWith(time);
    timeIsOver.catch(() => {});
    const opening = driver.open({ id, options, properties, trial: true }, this.#sink, environment);
    let open: OpenThing;
    try {
      open = await Promise.race([opening, timeIsOver]);
    } catch (error) {
      for (const { key } of properties) this.#note(key, error as Error);
      opening.then((late) => closeInTime(late, id, environment)).catch(() => {});
      return;
    }
    const polled = properties.filter(({ key }) => open.polled.has(key)).map(({ key }) => key);
    const waiting = properties.filter(({ key }) => !open.polled.has(key)).map(({ key }) => key);
    const awaited = (key: PropertyKey) => (open.awaits ? open.awaits(key) : 'value');
    for (const key of waiting) if (awaited(key) === undefined) this.#note(key, failed('it is only set: nothing tells its value'));
    const asked = polled.length > 0 ? this.#ask(open, polled, time) : undefined;
    await Promise.race([Promise.all([asked, this.#complete.promise]), timeIsOver]).catch(() => {});
    for (const key of waiting) this.#note(key, failed(`no ${awaited(key)} came within ${withinMs / 1000} s`));
    await asked;
    await closeInTime(open, id, environment);
  }

  async #ask(open: OpenThing, keys: readonly PropertyKey[], time: AbortSignal): Promise<void> {
    try {
      const answers = await Promise.race([open.read(keys, time), rejectsWith(time)]);
      for (const [key, answer] of answers) this.#note(key, answer);
      for (const key of keys) this.#note(key, time.reason ?? failed('the driver told nothing of it'));
    } catch (error) {
      for (const key of keys) this.#note(key, error as Error);
    }
  }

  readonly #sink: DriverSink = {
    value: (key, value) => this.#note(key, value),
    fault: (key, problem) => this.#note(key, problem),
    state: () => {},
  };

  /** What is heard first of a property counts. */
  #note(key: PropertyKey, heard: Value | Error): void {
    const property = this.#config.properties.find((one) => one.key === key);
    if (!property || this.#readings.has(key)) return;
    const tookMs = Math.round(this.#ports.environment.clock.monotonic() - this.#startedMs);
    this.#readings.set(key, readingOf(property, heard, tookMs));
    if (this.#readings.size === this.#config.properties.length) this.#complete.resolve();
  }
}

const failed = (sentence: string) => new Problem('sensor-failed', sentence);

function readingOf({ node, property, name, config }: ThingProperty, heard: Value | Error, tookMs: number): TrialReading {
  const { unit } = config;
  const known = { node, property, name, ...(unit === undefined ? {} : { unit }), tookMs };
  try {
    if (heard instanceof Error) throw heard;
    return { ...known, value: toValue(config, heard), fault: null };
  } catch (error) {
    return { ...known, value: null, fault: messageOf(error) };
  }
}
