import type { Bus, Clock, Logger, Message } from '@ledge/kit';
import { messageFrame } from './frames.ts';
import type { Reader } from './reader.ts';

/** MQTT has no word for "that was the last retained value": silence for so long means it. */
export const QUIET_MS = 50;
/** A broker that never falls silent is not waited for. */
export const LONGEST_MS = 3000;
/** Filters that are asked for at a time: each is a subscription of its own. */
export const MAX_AT_ONCE = 200;

/**
 * Retained values from the broker itself, at the moment when readers come: subscribing again makes it say them all
 * (MQTT-3.8.4-3), and only it knows which of the live messages it keeps. Readers who come while it speaks share the next round.
 */
export class Snapshots {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #asked = new Map<string, Set<Reader>>();
  readonly #running = new Set<string>();
  #epoch = 0;

  constructor({ bus, clock, log }: { bus: Bus; clock: Clock; log: Logger }) {
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
  }

  /** Says the retained values of `filter` to the reader, then calls its `retainedSaid`. */
  ask(filter: string, reader: Reader): void {
    const readers = this.#asked.get(filter) ?? new Set();
    this.#asked.set(filter, readers.add(reader));
    this.#runMore();
  }

  #runMore(): void {
    for (const filter of this.#asked.keys()) {
      if (this.#running.size >= MAX_AT_ONCE) return;
      if (!this.#running.has(filter)) void this.#run(filter);
    }
  }

  /** Forgets what was asked, and what is under way: the broker went away, or we stop. */
  cancel(): void {
    this.#epoch += 1;
    this.#asked.clear();
  }

  async #run(filter: string): Promise<void> {
    this.#running.add(filter);
    for (let readers = this.#take(filter); readers.length > 0; readers = this.#take(filter)) {
      const epoch = this.#epoch;
      try {
        await this.#say(filter, readers);
      } catch (error) {
        if (epoch === this.#epoch) this.#log.warn({ filter, err: error }, 'retained values not said');
      }
      if (epoch === this.#epoch) for (const reader of readers) reader.retainedSaid(filter);
    }
    this.#running.delete(filter);
    this.#runMore();
  }

  #take(filter: string): Reader[] {
    const readers = [...(this.#asked.get(filter) ?? [])].filter((reader) => !reader.closed);
    this.#asked.delete(filter);
    return readers;
  }

  async #say(filter: string, readers: readonly Reader[]): Promise<void> {
    const epoch = this.#epoch;
    const values = new Map<string, Buffer>();
    let said = 0;
    const unsubscribe = await this.#bus.subscribe(
      filter,
      (message: Message) => {
        if (!message.retained) return;
        said += 1;
        // the first subscription of all to this filter made the broker say them too
        if (values.get(message.topic)?.equals(message.payload)) return;
        values.set(message.topic, message.payload);
        const frame = messageFrame(message);
        for (const reader of readers) if (reader.takesFrom(filter, message.topic)) reader.sendNow(frame);
      },
      { qos: 1 },
    );
    const untilMs = this.#clock.monotonic() + LONGEST_MS;
    for (let before = -1; before !== said && epoch === this.#epoch && this.#clock.monotonic() < untilMs; ) {
      before = said;
      await this.#clock.sleep(QUIET_MS);
    }
    await unsubscribe();
  }
}
