import { type DeviceState, durationMs, Problem, shown, type ThingView, type Value } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import type { DriverEnvironment, DriverSink, OpenThing, PropertyKey } from '@ledge/sdk';
import { Channel, type ChannelListener, messageOf, retryDelayMs } from './channel.ts';
import { toRaw, toValue } from './sampling.ts';
import type { Scheduler } from './scheduler.ts';
import type { ThingConfig, ThingProperty } from './things/load.ts';

const FIRST_RETRY_MS = 1000;
const CLOSE_WITHIN_MS = 3000;

/** What a running thing tells the core. */
export interface ThingListener extends ChannelListener {
  state(id: string, state: DeviceState): void;
  /** The driver could not open the thing, or (undefined) now has. */
  opened(id: string, fault: string | undefined): void;
}

export interface ThingPorts {
  clock: Clock;
  log: Logger;
  scheduler: Scheduler;
  environment: DriverEnvironment;
  readTimeoutMs: () => number;
  listener: ThingListener;
}

/** How a property uses the hardware: all of it that the driver gets to see. */
const useOf = ({ key, source, config: { datatype, settable, retained, values } }: ThingProperty) =>
  JSON.stringify([key, source, datatype, settable, retained, values]);
const driverOf = ({ driver, options }: ThingConfig) => JSON.stringify([driver.name, options]);

/** Does the new version of a thing need its driver opened anew, or did only change what the core does with the values? */
export function sameHardware(a: ThingConfig, b: ThingConfig): boolean {
  const hardware = (thing: ThingConfig) => JSON.stringify([driverOf(thing), thing.enabled, thing.properties.map(useOf)]);
  return hardware(a) === hardware(b);
}

/** Closes what a driver opened, and does not wait for ever. Never rejects. */
export async function closeInTime(open: OpenThing, thing: string, { clock, log }: { clock: Clock; log: Logger }): Promise<void> {
  const timeIsOver = new AbortController();
  const tooLate = clock.sleep(CLOSE_WITHIN_MS, timeIsOver.signal).then(
    () => log.warn({ thing, afterMs: CLOSE_WITHIN_MS }, 'driver does not close'),
    () => {},
  );
  const closed = open.close().catch((error: unknown) => log.error({ thing, err: error }, 'driver failed to close'));
  await Promise.race([closed, tooLate]);
  timeIsOver.abort();
}

/** One thing while it runs: opens its driver and keeps trying, reads on the beat, decides what is said, and takes commands. */
export class RunningThing {
  #config: ThingConfig;
  readonly #ports: ThingPorts;
  #channels = new Map<PropertyKey, Channel>();
  #open: OpenThing | undefined;
  #openFault: string | undefined;
  #state: DeviceState = 'init';
  #ended = new AbortController();
  #cancelBeats: (() => void)[] = [];
  #opening: Promise<void> | undefined;

  constructor(config: ThingConfig, ports: ThingPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#channels = this.#makeChannels(config);
  }

  get config(): ThingConfig {
    return this.#config;
  }
  get state(): DeviceState {
    return this.#state;
  }
  /** Properties that cannot be read now. */
  get faults(): number {
    const broken = [...this.#channels.values()].filter((channel) => channel.failed).length;
    return this.#config.enabled && this.#openFault !== undefined ? broken + 1 : broken;
  }

  start(): void {
    if (!this.#config.enabled) {
      this.#openFault = 'it is switched off';
      this.#setState('disconnected');
      return;
    }
    this.#opening = this.#keepOpening(this.#ended.signal);
  }

  async stop(): Promise<void> {
    this.#ended.abort(new Error('the thing was stopped'));
    for (const cancel of this.#cancelBeats) cancel();
    this.#cancelBeats = [];
    await this.#opening;
    const open = this.#open;
    this.#open = undefined;
    if (open) await closeInTime(open, this.#config.id, this.#ports);
  }

  /** Takes over a version that uses the hardware in the same way: nothing is closed, no sample is lost. */
  adopt(config: ThingConfig): void {
    const before = this.#channels;
    this.#config = config;
    this.#channels = this.#makeChannels(config);
    for (const [key, channel] of this.#channels) {
      const former = before.get(key);
      if (former) channel.follow(former);
    }
    if (this.#open) this.#beat(this.#open);
  }

  /**
   * Sets a property; the value has the property's datatype and lies within its limits.
   * @returns the value that the thing has now
   */
  async write(key: PropertyKey, value: Value, signal: AbortSignal): Promise<Value> {
    const channel = this.#channel(key);
    if (!this.#open)
      throw new Problem('command-rejected', `${this.#config.id} is not connected: ${this.#openFault ?? 'it is still being opened'}`);
    const raw = await this.#open.write(key, toRaw(channel.property.config, value), signal);
    const now = toValue(channel.property.config, raw);
    (this.#channels.get(key) ?? channel).set(now);
    return now;
  }

  property(key: PropertyKey): ThingProperty | undefined {
    return this.#channels.get(key)?.property;
  }
  /** The value said last. */
  value(key: PropertyKey): Value | undefined {
    return this.#channels.get(key)?.value;
  }

  /**
   * What came last by itself of a property that another version of this thing uses in the same way: it holds the line or port, so
   * nobody else can ask. Undefined when nothing came, or when it can be asked.
   */
  heard(version: ThingConfig, property: ThingProperty): Value | Error | undefined {
    const channel = this.#channels.get(property.key);
    if (!this.#open || !channel || this.#open.polled.has(property.key)) return undefined;
    const same = driverOf(version) === driverOf(this.#config) && useOf(property) === useOf(channel.property);
    return same ? channel.heard : undefined;
  }

  /** Reads everything that can be asked, whatever its beat is. Tells how many were read and how many could not be. */
  async readNow(): Promise<{ read: number; failed: number }> {
    const open = this.#open;
    if (!open) return { read: 0, failed: 0 };
    const keys = [...open.polled];
    await this.#read(open, keys);
    const failed = keys.filter((key) => this.#channels.get(key)?.failed).length;
    return { read: keys.length - failed, failed };
  }

  view(): ThingView {
    const { id, name, driver, room, enabled, file } = this.#config;
    return {
      id,
      name,
      driver: driver.name,
      ...(room === undefined ? {} : { room }),
      enabled,
      state: this.#state,
      file,
      fault: enabled ? (this.#openFault ?? null) : null,
      properties: [...this.#channels.values()].map((channel) => channel.view()),
    };
  }

  #makeChannels({ id, properties }: ThingConfig): Map<PropertyKey, Channel> {
    return new Map(properties.map((property) => [property.key, new Channel(id, property, this.#ports)]));
  }

  #channel(key: PropertyKey): Channel {
    const channel = this.#channels.get(key);
    if (!channel) throw new Problem('not-found', `${this.#config.id} has no property ${shown(key)}`);
    return channel;
  }

  #setState(state: DeviceState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#ports.listener.state(this.#config.id, state);
  }

  /** Opens the driver, again and again with growing pauses until it succeeds or the thing is stopped. */
  async #keepOpening(signal: AbortSignal): Promise<void> {
    const { clock, environment, listener, log } = this.#ports;
    for (let failures = 1; !signal.aborted; failures++) {
      const { id, driver, options, properties } = this.#config;
      try {
        const sink = this.#sink(signal);
        const open = await driver.open({ id, options, properties }, sink, environment);
        this.#open = open;
        if (signal.aborted) return;
        if (this.#openFault !== undefined) log.info({ thing: id }, 'thing opened after all');
        this.#openFault = undefined;
        if (this.#state === 'init' || failures > 1) this.#setState('ready');
        listener.opened(id, undefined);
        this.#beat(open);
        void this.#readAll(open, [...open.polled]);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (this.#openFault !== messageOf(error)) this.#logError(error, 'thing could not be opened');
        this.#openFault = messageOf(error);
        this.#setState('disconnected');
        listener.opened(id, this.#openFault);
        await clock.sleep(retryDelayMs(failures, FIRST_RETRY_MS), signal).catch(() => {});
      }
    }
  }

  #sink(signal: AbortSignal): DriverSink {
    const quietAfterEnd =
      <A extends unknown[]>(say: (...args: A) => void) =>
      (...args: A) => {
        if (!signal.aborted) say(...args);
      };
    return {
      value: quietAfterEnd((key, raw, timeMs) => this.#channel(key).take(raw, timeMs ?? this.#ports.clock.now())),
      fault: quietAfterEnd((key, problem) => this.#channel(key).fail(problem)),
      state: quietAfterEnd((state) => this.#setState(state)),
    };
  }

  /** One beat for all polled properties with the same interval, so that the driver can read them together. */
  #beat(open: OpenThing): void {
    for (const cancel of this.#cancelBeats) cancel();
    const { scheduler } = this.#ports;
    const polled = new Map<number, PropertyKey[]>();
    this.#cancelBeats = [];
    for (const [key, { property }] of this.#channels) {
      const { every, atLeastEvery } = property.sampling;
      if (open.polled.has(key)) {
        const everyMs = durationMs(every);
        polled.set(everyMs, [...(polled.get(everyMs) ?? []), key]);
      } else if (atLeastEvery !== undefined) {
        const everyMs = durationMs(atLeastEvery);
        this.#cancelBeats.push(
          scheduler.every(everyMs, () => {
            if (this.#state === 'ready') this.#channels.get(key)?.repeatAfter(everyMs);
          }),
        );
      }
    }
    for (const [everyMs, keys] of polled) {
      let reading = false;
      this.#cancelBeats.push(
        scheduler.every(everyMs, () => {
          if (reading) return; // the last one takes longer than a beat; its own time limit ends it
          reading = true;
          void this.#readAll(open, keys).finally(() => {
            reading = false;
          });
        }),
      );
    }
  }

  /** Reads what is due; properties that failed wait for their pause to end. Never rejects. */
  async #readAll(open: OpenThing, keys: readonly PropertyKey[]): Promise<void> {
    const due = keys.filter((key) => this.#channels.get(key)?.isDue());
    if (due.length > 0) await this.#read(open, due);
  }

  /** Reads these, due or not. Never rejects. */
  async #read(open: OpenThing, due: readonly PropertyKey[]): Promise<void> {
    const { clock, readTimeoutMs } = this.#ports;
    const timeMs = clock.now();
    const limitMs = readTimeoutMs();
    const { signal, cancel } = this.#within(limitMs, () => new Problem('sensor-failed', `it did not answer within ${limitMs} ms`));
    let answers: ReadonlyMap<PropertyKey, Value | Error>;
    try {
      answers = await Promise.race([open.read(due, signal), rejectsWith(signal)]);
    } catch (error) {
      answers = new Map(due.map((key) => [key, error instanceof Error ? error : new Error(String(error))]));
    } finally {
      cancel();
    }
    if (this.#open !== open) return;
    for (const key of due) {
      const channel = this.#channels.get(key);
      // another property may have taken all the time: this one is asked again at its next beat
      if (!channel || (signal.aborted && !answers.has(key))) continue;
      const answer = answers.get(key) ?? new Problem('sensor-failed', 'the driver told nothing of it');
      if (answer instanceof Error) channel.fail(answer);
      else channel.take(answer, timeMs);
    }
  }

  /** A signal that ends after a while, or with the thing. */
  #within(ms: number, reason: () => Error): { signal: AbortSignal; cancel: () => void } {
    const limit = new AbortController();
    const cancelTimer = this.#ports.clock.after(ms, () => limit.abort(reason()));
    const end = () => limit.abort(this.#ended.signal.reason);
    this.#ended.signal.addEventListener('abort', end, { once: true });
    return {
      signal: limit.signal,
      cancel: () => {
        cancelTimer();
        this.#ended.signal.removeEventListener('abort', end);
      },
    };
  }

  #logError(error: unknown, message: string): void {
    this.#ports.log.error({ thing: this.#config.id, driver: this.#config.driver.name, err: error }, message);
  }
}

/** Rejects when time is over, but lets a driver that heeds the signal say first what it has. */
export const rejectsWith = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    const end = () => setImmediate(() => reject(signal.reason));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
