const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

export interface Backoff {
  /** How long to wait before the next try, ms: doubles from one second to one minute. */
  next(): number;
  /** It worked: the next wait is the first one again. */
  reset(): void;
}

export function createBackoff(firstMs = FIRST_MS, longestMs = LONGEST_MS): Backoff {
  let waitMs = firstMs;
  return {
    next() {
      const now = waitMs;
      waitMs = Math.min(waitMs * 2, longestMs);
      return now;
    },
    reset() {
      waitMs = firstMs;
    },
  };
}
