import type { Random } from '@ledge/kit';

/** Deaths further back than this are forgotten. */
const WINDOW_MS = 60_000;
/** So many deaths in the window are answered at once: a killed service is back before anybody notices. */
const QUICK_RESTARTS = 6;
const QUICK_MS = 100;
const GROWTH = 1.6;
const MAX_MS = 30_000;

/** How long to wait before the next start. Grows with deaths in the last minute, is capped, varies by a quarter, and never ends. */
export class Backoff {
  readonly #random: Random;
  #deathsMs: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  nextMs(nowMs: number): number {
    this.#deathsMs = [...this.#deathsMs.filter((ms) => nowMs - ms < WINDOW_MS), nowMs];
    const beyond = Math.max(0, this.#deathsMs.length - QUICK_RESTARTS);
    const delayMs = Math.min(MAX_MS, QUICK_MS * GROWTH ** beyond);
    return delayMs * (0.875 + this.#random() / 4);
  }
}
