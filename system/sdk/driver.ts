import type { PropertyConfig, Value } from '@ledge/contract';
import type { Bus, Clock, Logger, Random } from '@ledge/kit';
import type { z } from 'zod';

/** A property within its thing: `<node>/<property>`, such as `main/temperature`. */
export type PropertyKey = string;

/** What drivers may touch of the machine. Simulated in tests at the same seam. */
export interface DriverEnvironment {
  /** The box's id, which is also the first level of its own topics. */
  edge: string;
  /** Time; a test moves it. */
  clock: Clock;
  /** Chance; a test decides it. */
  random: Random;
  /** JSON lines: `log.info({ facts }, 'a sentence')`; see pino. A fault of the sensor is thrown, and not logged. */
  log: Logger;
  /** Root of the kernel's trees; `/` on a machine, a copied tree in a test. */
  root: string;
  /** MQTT, for things that speak it. */
  bus: Bus;
  /** HTTP, for things that speak it. */
  fetch: typeof globalThis.fetch;
  /** Programs of this machine. */
  processes: Processes;
}

/** Child processes as a port: arguments as an array, never a shell. */
export interface Processes {
  /** Never throws: a program that is not there ends with an `error`. */
  spawn(command: string, args: readonly string[]): ChildProcessPort;
}
/** A child process. */
export interface ChildProcessPort {
  /** Complete lines of stdout. */
  onLine(listener: (line: string) => void): void;
  /** Resolves when it ended, or could not be started (`code` null, `error` says why). `stderr` is its last 2 KiB. */
  readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string; error?: Error }>;
  /** To its stdin. */
  write(text: string): void;
  /** SIGTERM unless said otherwise. */
  kill(signal?: 'SIGTERM' | 'SIGKILL'): void;
}

/** One property of a thing, as the driver gets it. */
export interface DriverProperty<Source> {
  /** What `read`, `write` and the sink call it. */
  key: PropertyKey;
  /** What the thing file says of it. Scale, offset, limits and sampling are not the driver's business. */
  config: PropertyConfig;
  /** `source` of the property, parsed by the driver's `source` schema. */
  source: Source;
}

/** A thing, as the driver gets it. */
export interface DriverThing<Options, Source> {
  /** The name of its file, without `.yaml`. */
  id: string;
  /** `options` of the thing, parsed by the driver's `options` schema. */
  options: Options;
  /** In the order of the file. */
  properties: readonly DriverProperty<Source>[];
  /**
   * It is opened to be read once, beside a running thing perhaps: no output may move, and a property that cannot be had is a fault
   * of its own and not of the thing.
   */
  trial?: boolean;
}

/** How an open thing talks back. Values are raw: the core applies scale, offset, limits and sampling. */
export interface DriverSink {
  /** A value that came by itself. `time` is ms since 1970, now when left out. */
  value(key: PropertyKey, value: Value, time?: number): void;
  /** The property cannot be read now; a later value ends the fault. */
  fault(key: PropertyKey, problem: Error): void;
  /** The whole thing is gone (or back): `disconnected` until `ready`. For devices that say so themselves. */
  state(state: 'ready' | 'disconnected' | 'sleeping'): void;
}

/** A thing while it is open. */
export interface OpenThing {
  /** Properties that the core must ask for, each at its own interval. All others come through the sink. */
  readonly polled: ReadonlySet<PropertyKey>;
  /**
   * Reads the given polled properties. One failing does not fail the others: its entry is an Error. When the signal ends it,
   * what was read until then is told; what was not asked is left out.
   */
  read(keys: readonly PropertyKey[], signal: AbortSignal): Promise<ReadonlyMap<PropertyKey, Value | Error>>;
  /**
   * Sets a property. Resolves with the value that the thing has now (it acknowledged); throws `command-rejected` when it refuses.
   * The core times it out through the signal.
   */
  write(key: PropertyKey, value: Value, signal: AbortSignal): Promise<Value>;
  /**
   * What a value that comes by itself waits for, such as `message on topic tele/plug/SENSOR`, to say that none came; undefined when
   * none will ever come. Left out: `value`.
   */
  awaits?(key: PropertyKey): string | undefined;
  /** Ends everything and leaves outputs in their safe state. */
  close(): Promise<void>;
}

/** A thing that this machine could have. */
export interface Suggestion {
  /** What people choose it by. */
  title: string;
  /** The thing file; see {@link suggestion}. */
  yaml: string;
}

/**
 * A driver: one kind of sensor or actuator. Every driver passes {@link driverContract}. One that only measures when
 * it is asked is shorter with {@link defineSensor}.
 * @throws Problem `driver-unavailable` from `open` when the machine lacks what it needs, `thing-invalid` when options do not fit together.
 */
export interface Driver<Options extends z.ZodType = z.ZodType, Source extends z.ZodType = z.ZodType> {
  /** What a thing file says as `driver`: lower-case letters, digits, hyphens. */
  readonly name: string;
  /** What it reads and moves, in a few words for people. */
  readonly summary: string;
  /** A thing file that works, for the documentation. */
  readonly example: string;
  /** A good start for a new thing, with comments; default: the example. */
  readonly template?: string;
  /** Schema of the thing's `options`; strict, so that a misspelt one is told: `z.strictObject({})` for none. */
  readonly options: Options;
  /** Schema of each property's `source`. */
  readonly source: Source;
  /** Undefined when this machine has what the driver needs, else a sentence that says what is missing. */
  unavailable(environment: DriverEnvironment): Promise<string | undefined>;
  /** What is plugged in now and could be a thing. Cheap: nothing is measured. */
  found?(environment: DriverEnvironment): Promise<Suggestion[]>;
  /** Begins to use the hardware. What it throws is the thing's fault, told to people, and it is tried again with growing pauses. */
  open(thing: DriverThing<z.output<Options>, z.output<Source>>, sink: DriverSink, environment: DriverEnvironment): Promise<OpenThing>;
}

/** Keeps the types; does nothing else. */
export const defineDriver = <O extends z.ZodType, S extends z.ZodType>(driver: Driver<O, S>): Driver<O, S> => driver;
