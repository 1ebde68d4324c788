import type { KioskHeartbeat } from '@ledge/contract';

const MINUTE_MS = 60_000;
/** What is in memory then is what the page needs; before, it is still growing up. */
const SETTLED_AFTER_MS = 10 * MINUTE_MS;
const GROWN_TOO_MUCH = 1.5;
const QUIET_HOUR = 4;
const SHIFT_PX = 4;
const SHIFT_STEPS = 8;

/** Chromium tells it; others do not. */
const heapBytes = () => (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize;

/** Where the picture is at this minute: it walks in a small circle, so that no edge burns into the display. */
export function shiftAt(nowMs: number): { x: number; y: number } {
  const turn = ((Math.floor(nowMs / MINUTE_MS) % SHIFT_STEPS) / SHIFT_STEPS) * 2 * Math.PI;
  return { x: Math.round(Math.cos(turn) * SHIFT_PX), y: Math.round(Math.sin(turn) * SHIFT_PX) };
}

/** Looks after a page that nobody closes for months: knows when it was last drawn, and begins anew at night when it has grown. */
export class Caretaker {
  #drawnMs = performance.now();
  #settledBytes: number | undefined;
  readonly #startedMs = performance.now();

  /** To be called every second. A page that no longer draws is found out, because frames then no longer come. */
  look(): void {
    requestAnimationFrame(() => {
      this.#drawnMs = performance.now();
    });
    const ageMs = performance.now() - this.#startedMs;
    if (ageMs < SETTLED_AFTER_MS) return;
    const bytes = heapBytes();
    this.#settledBytes ??= bytes;
    const isGrown = bytes !== undefined && this.#settledBytes !== undefined && bytes > this.#settledBytes * GROWN_TOO_MUCH;
    if (isGrown && new Date().getHours() === QUIET_HOUR && ageMs > 60 * MINUTE_MS) location.reload();
  }

  heartbeat(online: boolean): KioskHeartbeat {
    const bytes = heapBytes();
    const drawnAgoMs = Math.round(performance.now() - this.#drawnMs);
    return { page: location.pathname, drawnAgoMs, online, ...(bytes === undefined ? {} : { heapBytes: bytes }) };
  }
}
