const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, as people say it; always short, so that nothing moves when it changes. */
export function ageText(ageMs: number): string {
  if (ageMs < 2 * SECOND_MS) return 'now';
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / SECOND_MS)} s ago`;
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min ago`;
  if (ageMs < DAY_MS) return `${Math.floor(ageMs / HOUR_MS)} h ago`;
  return `${Math.floor(ageMs / DAY_MS)} d ago`;
}

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
