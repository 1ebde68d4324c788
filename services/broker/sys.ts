import type { Clock } from '@ledge/kit';
import { Gauge, type Registry } from 'prom-client';
import { Loads, sysCounters } from './counters.ts';
import type { Engine } from './engine.ts';

/** As mosquitto's `sys_interval`. */
const PUBLISH_EVERY_MS = 10_000;

/** Tells the broker's counters: below `$SYS/broker/`, over HTTP and to Prometheus. */
export class SystemTopics {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #version: string;
  readonly #startedMs: number;
  readonly #loads: Loads;
  readonly #said = new Map<string, string>();
  #cancel: (() => void) | undefined;

  constructor(engine: Engine, version: string, clock: Clock) {
    this.#engine = engine;
    this.#version = version;
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    this.#loads = new Loads(engine.traffic, clock);
  }

  start(): void {
    this.publish();
    this.#cancel = this.#clock.every(PUBLISH_EVERY_MS, () => this.publish());
  }
  stop(): void {
    this.#cancel?.();
  }

  /** Every counter by its name below `$SYS/broker/`. */
  counters(): Record<string, number | string> {
    const uptimeS = (this.#clock.monotonic() - this.#startedMs) / 1000;
    return sysCounters(this.#version, uptimeS, this.#engine.traffic, this.#engine.levels(), this.#loads.entries());
  }

  /** Says, retained, what has changed since the last time. */
  publish(): void {
    this.#loads.update();
    if (this.#engine.saysSys) return;
    for (const [name, value] of Object.entries(this.counters())) {
      const text = String(value);
      if (this.#said.get(name) === text) continue;
      this.#said.set(name, text);
      this.#engine.publish(`$SYS/broker/${name}`, Buffer.from(text), { retain: true });
    }
  }

  /** One gauge per number: `mqtt_broker_messages_received` for `messages/received`. */
  register(metrics: Registry): void {
    const read = (name: string) => Number(this.counters()[name] ?? 0);
    for (const [name, value] of Object.entries(this.counters())) {
      if (typeof value !== 'number' || name.startsWith('load/')) continue;
      new Gauge({
        name: `mqtt_broker_${name.replaceAll(/[^a-z0-9]+/g, '_')}`,
        help: `$SYS/broker/${name}`,
        registers: [metrics],
        collect() {
          this.set(read(name));
        },
      });
    }
  }
}
