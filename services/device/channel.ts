import { durationMs, Problem, type PropertyAddress, type PropertyView, type Value } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import { formatOf } from './homie.ts';
import { Sampler, toRaw, toValue } from './sampling.ts';
import type { ThingProperty } from './things/load.ts';

export const MAX_RETRY_MS = 60_000;

/** Pause after so many failures in a row: doubles, up to a minute. */
export const retryDelayMs = (failures: number, firstMs: number) => Math.min(MAX_RETRY_MS, firstMs * 2 ** Math.min(failures - 1, 20));

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** What a property tells. */
export interface ChannelListener {
  said(address: PropertyAddress, property: ThingProperty, value: Value, timeMs: number): void;
  faulted(address: PropertyAddress, property: ThingProperty, message: string): void;
  recovered(address: PropertyAddress, property: ThingProperty): void;
}

export interface ChannelPorts {
  clock: Clock;
  log: Logger;
  listener: ChannelListener;
}

/** One property while its thing runs: what it says and when, whether it fails, and when it is asked again. */
export class Channel {
  readonly property: ThingProperty;
  readonly address: PropertyAddress;
  readonly #ports: ChannelPorts;
  readonly #sampler: Sampler;
  #value: Value | undefined;
  #heard: Value | Error | undefined;
  #timeMs: number | undefined;
  #saidMs = Number.NEGATIVE_INFINITY;
  #fault: string | undefined;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(thing: string, property: ThingProperty, ports: ChannelPorts) {
    this.property = property;
    this.address = { thing, node: property.node, property: property.property };
    this.#ports = ports;
    this.#sampler = new Sampler(property.sampling);
  }

  /** The value said last. */
  get value(): Value | undefined {
    return this.#value;
  }
  /** What the driver told last, before scale, offset and limits. */
  get heard(): Value | Error | undefined {
    return this.#heard;
  }
  get failed(): boolean {
    return this.#fault !== undefined;
  }

  /** Goes on from a former version of the same property. */
  follow(before: Channel): void {
    this.#value = before.#value;
    this.#heard = before.#heard;
    this.#timeMs = before.#timeMs;
    this.#fault = before.#fault;
    this.#failures = before.#failures;
    this.#retryAtMs = before.#retryAtMs;
  }

  /** Is it to be read now, or does it rest after a failure? */
  isDue(): boolean {
    return this.#retryAtMs <= this.#ports.clock.monotonic();
  }

  /** Takes what the driver read. */
  take(raw: Value, timeMs: number): void {
    let value: Value;
    this.#heard = raw;
    try {
      value = toValue(this.property.config, raw);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (this.#fault !== undefined) {
      this.#fault = undefined;
      this.#ports.log.info({ thing: this.address.thing, property: this.property.key }, 'sensor reads again');
      this.#ports.listener.recovered(this.address, this.property);
    }
    this.#failures = 0;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    if (this.#sampler.admits(value, this.#ports.clock.monotonic())) this.#tell(value, timeMs);
  }

  fail(error: Error): void {
    this.#heard = error;
    this.#fail(error);
  }

  #fail(error: Error): void {
    const message = messageOf(error);
    const everyMs = durationMs(this.property.sampling.every);
    this.#failures++;
    // half a beat less, so that a reading which took a while does not cost one beat more
    this.#retryAtMs = this.#ports.clock.monotonic() + retryDelayMs(this.#failures, everyMs) - everyMs / 2;
    if (this.#fault === message) return;
    const isNew = this.#fault === undefined;
    this.#fault = message;
    // a Problem says all in its sentence; of anything else the stack helps
    const why = error instanceof Problem ? { reason: message } : { err: error };
    if (isNew) this.#ports.log.warn({ thing: this.address.thing, property: this.property.key, ...why }, 'sensor failed');
    this.#ports.listener.faulted(this.address, this.property, message);
  }

  /** Says a value whatever the sampling rules are: what a command set. */
  set(value: Value): void {
    this.#heard = toRaw(this.property.config, value);
    this.#sampler.note(value, this.#ports.clock.monotonic());
    this.#tell(value, this.#ports.clock.now());
  }

  /** Says the last value once more, when it was quiet for so long. Happenings are not repeated. */
  repeatAfter(quietMs: number): void {
    if (this.#value === undefined || this.#fault !== undefined || !this.property.config.retained) return;
    if (this.#ports.clock.monotonic() - this.#saidMs >= quietMs) this.#tell(this.#value, this.#ports.clock.now());
  }

  view(): PropertyView {
    const { node, property, name, config } = this.property;
    const format = formatOf(this.property);
    return {
      node,
      property,
      name,
      datatype: config.datatype,
      ...(config.unit === undefined ? {} : { unit: config.unit }),
      ...(format === undefined ? {} : { format }),
      settable: config.settable,
      value: this.#value ?? null,
      time: this.#timeMs === undefined ? null : new Date(this.#timeMs).toISOString(),
      fault: this.#fault ?? null,
    };
  }

  #tell(value: Value, timeMs: number): void {
    this.#value = value;
    this.#timeMs = timeMs;
    this.#saidMs = this.#ports.clock.monotonic();
    this.#ports.listener.said(this.address, this.property, value, timeMs);
  }
}
