import type { HistoryPoint } from '@ledge/contract';
import type { Sample } from './batch.ts';
import { addSample, type Bucket, type Buckets, DAY_MS, type Grid, grid, HOUR_MS, MINUTE_MS } from './rollup.ts';
import type { RecorderSettings } from './settings.ts';

export type Resolution = 'raw' | 'minute' | 'hour';

/** Up to these spans the finer readings are read, however few points are wanted … */
const RAW_SPAN_MS = 2 * HOUR_MS;
const MINUTE_SPAN_MS = 7 * DAY_MS;
/** … and up to these where a point would be narrower than the coarser buckets. */
const DENSE_RAW_SPAN_MS = DAY_MS;
const DENSE_MINUTE_SPAN_MS = 62 * DAY_MS;

/** Digits of a mean that are worth saying; what follows is noise of adding. */
const MEAN_DIGITS = 12;

export interface Span {
  fromMs: number;
  toMs: number;
}

/** The finest resolution that is quick enough for the span and still kept at its beginning. */
export function chooseResolution({ fromMs, toMs }: Span, points: number, nowMs: number, settings: RecorderSettings): Resolution {
  const spanMs = toMs - fromMs;
  const pointMs = spanMs / points;
  const isKept = (days: number) => fromMs >= nowMs - days * DAY_MS;
  const rawFits = spanMs <= RAW_SPAN_MS || (pointMs < MINUTE_MS && spanMs <= DENSE_RAW_SPAN_MS);
  if (rawFits && isKept(settings.rawDays)) return 'raw';
  const minuteFits = spanMs <= MINUTE_SPAN_MS || (pointMs < HOUR_MS && spanMs <= DENSE_MINUTE_SPAN_MS);
  return minuteFits && isKept(settings.minuteDays) ? 'minute' : 'hour';
}

/** At most `points` buckets that cover the span, each a multiple of the source's width. The end belongs to the last. */
export function pointGrid({ fromMs, toMs }: Span, points: number, widthMs: number): Grid {
  const originMs = grid(widthMs)(fromMs);
  const pointMs = Math.max(1, Math.ceil((toMs - originMs) / points / widthMs)) * widthMs;
  const wide = grid(pointMs, originMs);
  return (atMs) => wide(atMs === toMs && atMs > originMs ? atMs - 1 : atMs);
}

export const rawPoint = ({ atMs, seq, value }: Sample): HistoryPoint => ({ time: new Date(atMs).toISOString(), value, seq });

function bucketPoint(startMs: number, { count, min, max, sum, others, last }: Bucket): HistoryPoint {
  const time = new Date(startMs).toISOString();
  if (count === 0) return { time, value: last, count: others };
  return { time, mean: Number((sum / count).toPrecision(MEAN_DIGITS)), min, max, count };
}

export const bucketPoints = (buckets: Buckets): HistoryPoint[] =>
  [...buckets].sort(([a], [b]) => a - b).map(([startMs, bucket]) => bucketPoint(startMs, bucket));

/** Takes readings in and gives at most `points`: each one as it was while they are few, put together when they are many. */
export class Thinner {
  readonly #points: number;
  readonly #grid: Grid;
  readonly #samples: Sample[] = [];
  readonly #buckets: Buckets = new Map();

  constructor(points: number, grid: Grid) {
    this.#points = points;
    this.#grid = grid;
  }

  add(sample: Sample): void {
    this.#samples.push(sample);
    if (this.#samples.length > this.#points || this.#buckets.size > 0) {
      for (const each of this.#samples.splice(0)) addSample(this.#buckets, this.#grid, each);
    }
  }

  result(): HistoryPoint[] {
    if (this.#buckets.size > 0) return bucketPoints(this.#buckets);
    return this.#samples.sort((a, b) => a.atMs - b.atMs || a.seq - b.seq).map(rawPoint);
  }
}
