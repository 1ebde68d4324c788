import type { Clock } from '@ledge/kit';

interface Beat {
  dueMs: number;
  tasks: Set<() => void>;
}

/**
 * Runs tasks at fixed intervals with one timer for all of them. Tasks of one interval share a beat, whose phase comes from the
 * monotonic clock: who leaves and joins again (a thing that is reloaded) keeps its times. A beat that was missed is not made up for.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #beats = new Map<number, Beat>();
  #cancel: (() => void) | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Calls `task` at each multiple of `everyMs` until the returned function is called. */
  every(everyMs: number, task: () => void): () => void {
    const beat = this.#beats.get(everyMs) ?? { dueMs: this.#nextDueMs(everyMs), tasks: new Set() };
    this.#beats.set(everyMs, beat);
    beat.tasks.add(task);
    this.#arm();
    return () => {
      beat.tasks.delete(task);
      if (beat.tasks.size === 0 && this.#beats.get(everyMs) === beat) this.#beats.delete(everyMs);
      this.#arm();
    };
  }

  /** How late the next beat is, in ms: 0 when all is well. */
  get overdueMs(): number {
    return Math.max(0, this.#clock.monotonic() - this.#earliestMs());
  }

  stop(): void {
    this.#beats.clear();
    this.#arm();
  }

  #nextDueMs(everyMs: number): number {
    return (Math.floor(this.#clock.monotonic() / everyMs) + 1) * everyMs;
  }

  #earliestMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#beats.values()) earliest = Math.min(earliest, dueMs);
    return earliest;
  }

  #arm(): void {
    const dueMs = this.#earliestMs();
    if (dueMs === this.#timerDueMs) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timerDueMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    // a timer may fire a fraction of a millisecond early; rounding up keeps it from firing twice for one beat
    this.#cancel = this.#clock.after(Math.max(0, Math.ceil(dueMs - this.#clock.monotonic())), () => this.#tick());
  }

  #tick(): void {
    this.#cancel = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonic();
    for (const [everyMs, beat] of [...this.#beats]) {
      if (beat.dueMs > nowMs) continue;
      beat.dueMs = this.#nextDueMs(everyMs);
      for (const task of [...beat.tasks]) {
        try {
          task();
        } catch (error) {
          this.#onError(error);
        }
      }
    }
    this.#arm();
  }
}
