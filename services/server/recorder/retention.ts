import type { HistoryDatabase } from './database.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './rollup.ts';
import type { SegmentLog } from './segment-log.ts';
import type { RecorderSettings } from './settings.ts';

const MEGABYTE = 1_000_000;

/** Removes what is older than its resolution is kept; then, while all of it is too large, the oldest raw readings and the oldest minutes. */
export async function trim(log: SegmentLog, db: HistoryDatabase, settings: RecorderSettings, nowMs: number): Promise<void> {
  const isTooLarge = () => log.bytes + db.bytes > settings.maxHistoryMb * MEGABYTE;
  db.removeOld(MINUTE_MS, nowMs - settings.minuteDays * DAY_MS);
  db.removeOld(HOUR_MS, nowMs - settings.hourDays * DAY_MS);
  await log.closeDue(nowMs);
  const rawBeforeMs = nowMs - settings.rawDays * DAY_MS;
  await log.removeOldest(({ startMs }) => startMs + HOUR_MS < rawBeforeMs || isTooLarge());
  db.forgetSegmentsBefore(log.segments[0]?.startMs ?? 0);
  for (let oldestMs = db.oldestBlock(MINUTE_MS); oldestMs !== undefined && isTooLarge(); oldestMs = db.oldestBlock(MINUTE_MS)) {
    db.removeOld(MINUTE_MS, oldestMs + DAY_MS);
  }
}
