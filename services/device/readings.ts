import { type PropertyAddress, type Reading, topics, type Value } from '@ledge/contract';
import type { Bus, Clock, Logger } from '@ledge/kit';
import type { Outbox, Queued, Sequence, Stored } from './outbox.ts';

/** Readings that may be on their way to the broker without its answer. Keeps a replay of millions from choking the rest. */
const WINDOW = 64;
const REPLAY_BATCH = 256;
/** Between two batches: about 5000 readings a second, so that a day's outage does not fill memory and processors of a small board. */
const REPLAY_PAUSE_MS = 50;
/** Acknowledged readings are taken off the disk in such portions, because each costs a write. */
const REMOVE_BATCH = 1000;
/** When the disk takes nothing, so many readings wait in memory before the oldest go. */
const MAX_WAITING = 10_000;
/** At so many it does not wait for the next flush. */
const FLUSH_AT = 1000;
const SETTLE_ON_STOP_MS = 1000;

export interface ReadingsOptions {
  bus: Bus;
  edge: string;
  clock: Clock;
  log: Logger;
  outbox: Outbox;
  flushMs: number;
  maxReadings: () => number;
  /** Said when the broker is back and kept readings begin to be said. */
  onReplay?: (reason: string) => void;
  /** Said when all kept readings were acknowledged. */
  onReplayed?: (readings: number, dropped: number) => void;
}

/**
 * The history stream: each reading gets its number, and is said until the broker has acknowledged it. While the broker is away or slow
 * they wait in the outbox and are said later, in order, with their own times. Order for each property is that of `seq`:
 * on the way are the oldest, then come those on disk, then those in memory.
 */
export class Readings {
  readonly counts = { taken: 0, acknowledged: 0, replayed: 0, dropped: 0 };
  readonly #options: ReadingsOptions;
  readonly #sequences = new Map<string, Sequence>();
  /** On their way and not on disk, oldest first. */
  readonly #live = new Set<Queued>();
  /** On their way and still on disk, by id, oldest first. */
  readonly #replaying = new Map<number, Stored>();
  #batch: Stored[] = [];
  #cancelPause: (() => void) | undefined;
  /** Id of the first stored reading that was not taken into a batch. */
  #cursor: number;
  #waiting: Queued[] = [];
  /** Answers of the broker to what was said before the connection broke come too late to count. */
  #connection = 0;
  #cancels: (() => void)[] = [];
  #awayReason: string | undefined;
  #replayedNow = 0;
  #droppedNow = 0;
  #storageFault: string | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(options: ReadingsOptions) {
    this.#options = options;
    this.#cursor = options.outbox.firstId;
  }

  start(): void {
    const { bus, clock, flushMs } = this.#options;
    this.#cancels = [
      bus.onConnect(() => this.#onConnect()),
      bus.onClose((reason) => this.#onAway(reason)),
      clock.every(flushMs, () => this.#tick()),
    ];
  }

  /** Sets numbers aside for the properties of a thing, all at once. */
  register(addresses: readonly PropertyAddress[]): void {
    for (const sequence of this.#options.outbox.sequences(addresses)) this.#sequences.set(topicOf(sequence.address), sequence);
  }

  /** Takes a reading. It never throws for the broker's or the disk's sake. */
  add(address: PropertyAddress, value: Value, timeMs: number): void {
    if (this.#stopped) return;
    let reading: Queued;
    try {
      if (!this.#sequences.has(topicOf(address))) this.register([address]);
      const sequence = this.#sequences.get(topicOf(address));
      if (!sequence) return;
      reading = { sequence, seq: this.#options.outbox.nextSeq(sequence), timeMs, value };
    } catch (error) {
      this.#drop(1);
      this.#storageFailed(error);
      return;
    }
    this.counts.taken++;
    this.#waiting.push(reading);
    this.#pump();
    if (this.#waiting.length >= FLUSH_AT) this.#flush();
  }

  /** Readings that are not said yet: on disk, in memory, on their way. */
  get pending(): number {
    return this.#options.outbox.size + this.#waiting.length + this.#live.size;
  }
  get stored(): number {
    return this.#options.outbox.size;
  }
  /** Why the disk does not take readings, if so. */
  get storageFault(): string | undefined {
    return this.#storageFault;
  }

  /** Waits a moment for the broker's answers, then puts everything that is left on disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#live.size + this.#replaying.size > 0 && this.#options.bus.connected) {
      const answered = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      const timeIsOver = new AbortController();
      await Promise.race([answered, this.#options.clock.sleep(SETTLE_ON_STOP_MS, timeIsOver.signal).catch(() => {})]);
      timeIsOver.abort();
    }
    for (const cancel of this.#cancels) cancel();
    this.#cancelPause?.();
    this.#takeBack();
    this.#flush();
    try {
      this.#options.outbox.close();
    } catch (error) {
      this.#storageFailed(error);
    }
  }

  #onConnect(): void {
    if (this.#options.outbox.size > 0) {
      this.#options.log.info({ readings: this.#options.outbox.size }, 'saying the readings that were kept');
      this.#options.onReplay?.(this.#awayReason ?? 'the service started with readings kept from before');
    }
    this.#awayReason = undefined;
    this.#pump();
  }

  #onAway(reason: string): void {
    this.#awayReason ??= `the broker was away: ${reason}`;
    this.#takeBack();
    this.#flush();
  }

  /** What was on its way may have arrived or not: it goes back to the head of the queue and will be said again with the same numbers. */
  #takeBack(): void {
    this.#connection++;
    const live = [...this.#live];
    this.#live.clear();
    try {
      this.#removeAcknowledged(1);
      this.#options.outbox.prepend(live);
    } catch (error) {
      this.#waiting = [...live, ...this.#waiting];
      this.#storageFailed(error);
    }
    this.#replaying.clear();
    this.#batch = [];
    this.#cursor = this.#options.outbox.firstId;
  }

  #tick(): void {
    this.#flush();
    this.#pump();
  }

  /** Puts what waits in memory on disk, and holds the disk to its limit. */
  #flush(): void {
    const { outbox, maxReadings } = this.#options;
    try {
      this.#removeAcknowledged(1);
      if (this.#waiting.length > 0) {
        outbox.append(this.#waiting);
        this.#waiting = [];
        this.#drop(outbox.limitTo(maxReadings()));
      }
      if (outbox.size === 0) outbox.shrink();
      if (this.#storageFault !== undefined) this.#options.log.info('the outbox can be written again');
      this.#storageFault = undefined;
    } catch (error) {
      this.#storageFailed(error);
    }
  }

  #storageFailed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#storageFault !== message) this.#options.log.error({ err: error, waiting: this.#waiting.length }, 'outbox failed');
    this.#storageFault = message;
    const excess = this.#waiting.length - MAX_WAITING;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.#drop(excess);
    }
  }

  #drop(readings: number): void {
    this.counts.dropped += readings;
    this.#droppedNow += readings;
  }

  #pump(): void {
    const { bus, outbox } = this.#options;
    if (!bus.connected || this.#stopped) return;
    while (this.#live.size + this.#replaying.size < WINDOW) {
      if (outbox.size > 0) {
        const stored = this.#nextStored();
        if (!stored) return; // all on their way
        this.#replaying.set(stored.id, stored);
        this.#say(stored, true);
      } else {
        const reading = this.#waiting.shift();
        if (!reading) return;
        this.#live.add(reading);
        this.#say(reading, false);
      }
    }
  }

  #nextStored(): Stored | undefined {
    if (this.#batch.length === 0) {
      if (this.#cancelPause) return undefined;
      try {
        this.#batch = this.#options.outbox.read(Math.max(this.#cursor, this.#options.outbox.firstId), REPLAY_BATCH).reverse();
      } catch (error) {
        this.#storageFailed(error);
      }
      this.#cursor = (this.#batch[0]?.id ?? this.#cursor - 1) + 1;
      if (this.#batch.length === REPLAY_BATCH) this.#pause();
    }
    return this.#batch.pop();
  }

  #pause(): void {
    this.#cancelPause = this.#options.clock.after(REPLAY_PAUSE_MS, () => {
      this.#cancelPause = undefined;
      this.#pump();
    });
  }

  #say(queued: Queued | Stored, replayed: boolean): void {
    const { bus, edge } = this.#options;
    const connection = this.#connection;
    const reading: Reading = { value: queued.value, time: new Date(queued.timeMs).toISOString(), seq: queued.seq, replayed };
    bus.publish(topics.reading(edge, queued.sequence.address), reading, { qos: 1 }).then(
      () => {
        if (connection === this.#connection) this.#acknowledged(queued);
      },
      (error: unknown) => {
        if (connection === this.#connection) this.#refused(error);
      },
    );
  }

  #acknowledged(queued: Queued | Stored): void {
    this.counts.acknowledged++;
    if ('id' in queued) {
      this.#replaying.delete(queued.id);
      this.counts.replayed++;
      this.#replayedNow++;
      try {
        this.#removeAcknowledged(REMOVE_BATCH);
      } catch (error) {
        this.#storageFailed(error);
      }
    } else {
      this.#live.delete(queued);
    }
    this.#pump();
    if (this.#live.size + this.#replaying.size === 0) this.#idle?.();
  }

  /** A message that was not taken although the connection stands. Everything goes back, and is tried again at the next tick. */
  #refused(error: unknown): void {
    this.#options.log.warn({ err: error }, 'reading not taken by the broker');
    this.#takeBack();
  }

  /** Takes what was acknowledged off the disk, when it is at least `atLeast` readings or all there are. */
  #removeAcknowledged(atLeast: number): void {
    const { outbox, onReplayed, log } = this.#options;
    const [oldestOnItsWay] = this.#replaying.keys();
    const oldestInBatch = this.#batch.at(-1)?.id;
    const said = oldestOnItsWay ?? oldestInBatch ?? this.#cursor;
    const count = said - outbox.firstId;
    if (count < 1 || (count < atLeast && count < outbox.size)) return;
    outbox.removeBefore(said);
    if (outbox.size > 0 || this.#replayedNow === 0) return;
    log.info({ readings: this.#replayedNow, dropped: this.#droppedNow }, 'all kept readings were said');
    onReplayed?.(this.#replayedNow, this.#droppedNow);
    this.#replayedNow = 0;
    this.#droppedNow = 0;
  }
}

const topicOf = ({ thing, node, property }: PropertyAddress) => `${thing}/${node}/${property}`;
