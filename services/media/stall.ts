/** No progress for so long: the state no longer says that it plays. */
export const QUIET_AFTER_MS = 1500;
/** No progress for so long: the track is opened anew. */
export const STALLED_AFTER_MS = 5000;

/** Tells from the positions that a player answers whether sound goes on. */
export class Stall {
  #lastS = -1;
  #movedMs: number;

  constructor(nowMs: number) {
    this.#movedMs = nowMs;
  }

  see(positionS: number | null, nowMs: number): 'moving' | 'waiting' | 'quiet' | 'stalled' {
    if (positionS !== null && positionS !== this.#lastS) {
      this.#lastS = positionS;
      this.#movedMs = nowMs;
      return 'moving';
    }
    const stillMs = nowMs - this.#movedMs;
    if (stillMs >= STALLED_AFTER_MS) return 'stalled';
    return stillMs >= QUIET_AFTER_MS ? 'quiet' : 'waiting';
  }

  /** Standing still was wanted until now. */
  excuse(nowMs: number): void {
    this.#movedMs = nowMs;
  }
}
