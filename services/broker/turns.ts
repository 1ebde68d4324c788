import type { Clock } from '@ledge/kit';

/** Something with work to do. */
export interface Worker {
  /** Does up to `most` pieces of work; true when there is more to do at once. */
  turn(most: number): boolean;
}
/** Something that gathers what it sends until the turn ends. */
export interface Gatherer {
  flush(): void;
}

const PIECES_PER_TURN = 32;
const ROUND_MS = 8;

/**
 * Shares the one thread fairly: each worker does a few pieces per turn, those that have just become ready go before those that
 * used up their last turn, and after some milliseconds the event loop gets to read sockets again. So a client that sends
 * little never waits for more than one round, however many others flood. No recursion: a worker never runs inside another.
 */
export class Turns {
  readonly #clock: Clock;
  #fresh: Worker[] = [];
  #busy: Worker[] = [];
  readonly #queued = new Set<Worker>();
  readonly #gatherers = new Set<Gatherer>();
  #immediate: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives the worker a turn soon. */
  ready(worker: Worker): void {
    if (this.#queued.has(worker)) return;
    this.#queued.add(worker);
    this.#fresh.push(worker);
    this.#arm();
  }

  /** Calls `flush` when this round ends. */
  gather(gatherer: Gatherer): void {
    this.#gatherers.add(gatherer);
    this.#arm();
  }

  forget(member: Worker & Gatherer): void {
    this.#gatherers.delete(member);
    if (!this.#queued.delete(member)) return;
    this.#fresh = this.#fresh.filter((w) => w !== member);
    this.#busy = this.#busy.filter((w) => w !== member);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#immediate) clearImmediate(this.#immediate);
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#immediate ??= setImmediate(() => this.#round());
  }

  #round(): void {
    this.#immediate = undefined;
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const worker of fresh) this.#give(worker);
    const until = this.#clock.monotonic() + ROUND_MS;
    while (this.#busy.length > 0 && this.#clock.monotonic() < until) {
      const worker = this.#busy.shift();
      if (worker) this.#give(worker);
    }
    for (const gatherer of this.#gatherers) gatherer.flush();
    this.#gatherers.clear();
    if (this.#fresh.length > 0 || this.#busy.length > 0) this.#arm();
  }

  #give(worker: Worker): void {
    if (!this.#queued.has(worker)) return;
    if (worker.turn(PIECES_PER_TURN)) {
      if (this.#queued.has(worker)) this.#busy.push(worker);
    } else this.#queued.delete(worker);
  }
}
