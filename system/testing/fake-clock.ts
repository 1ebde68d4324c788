import type { Clock } from '@ledge/kit';

interface Timer {
  dueMs: number;
  everyMs: number | undefined;
  task(): void;
}

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on; timers that fall due run in order, and promises settle between them. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock without running timers, as an NTP jump does. */
  setWallClock(ms: number): void;
  /** How many timers and sleeps wait; none are left when everything has ended. */
  readonly pendingTimers: number;
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

export function fakeClock(startMs = Date.parse('2026-01-01T00:00:00Z')): FakeClock {
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  const timers = new Set<Timer>();

  const add = (ms: number, task: () => void, everyMs?: number) => {
    const timer: Timer = { dueMs: elapsedMs + Math.max(0, ms), everyMs, task };
    timers.add(timer);
    return () => {
      timers.delete(timer);
    };
  };

  return {
    now: () => wallOffsetMs + elapsedMs,
    monotonic: () => elapsedMs,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const cancel = add(ms, () => resolve());
        signal?.addEventListener('abort', () => {
          cancel();
          reject(signal.reason);
        });
      });
    },
    every: (ms, task) => add(ms, task, Math.max(1, ms)),
    after: (ms, task) => add(ms, task),
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (;;) {
        const next = [...timers].filter((t) => t.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (!next) break;
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        if (next.everyMs === undefined) timers.delete(next);
        else next.dueMs += next.everyMs;
        next.task();
        await settle();
      }
      elapsedMs = untilMs;
      await settle();
    },
    setWallClock(ms) {
      wallOffsetMs = ms - elapsedMs;
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}
