const SECOND_MS = 1000;

/** `1:05` for 65 s. */
export function countdownText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

const MISSED_BEATS = 5;
const PATIENCE_MS = 30 * SECOND_MS;
const SMOOTHING = 0.3;

/** The usual time between two values of a property, learned from those that came; undefined until there are two. */
export const learnRhythm = (rhythmMs: number | undefined, gapMs: number): number =>
  rhythmMs === undefined ? gapMs : rhythmMs + SMOOTHING * (gapMs - rhythmMs);

/** A value is stale when it should have been said again several times by now. What never had a rhythm is not stale. */
export const isStale = (ageMs: number, rhythmMs: number | undefined): boolean =>
  rhythmMs !== undefined && ageMs > Math.max(PATIENCE_MS, MISSED_BEATS * rhythmMs);
