import type { Columns } from './batch.ts';
import { addBuckets, addSample, type Buckets, GRIDS, MINUTE_MS, type Width } from './rollup.ts';

/** Minutes of readings that are safe in the log and not yet in the database, by series. */
export class PendingMinutes {
  #bySeries = new Map<number, Buckets>();
  /** Buckets of all series. */
  count = 0;

  get bySeries(): ReadonlyMap<number, Buckets> {
    return this.#bySeries;
  }

  add(series: number, { timesMs, values }: Columns): void {
    const minutes = this.#bySeries.get(series) ?? new Map();
    this.#bySeries.set(series, minutes);
    const countBefore = minutes.size;
    for (const [i, atMs] of timesMs.entries()) addSample(minutes, GRIDS[MINUTE_MS], { atMs, value: values[i] ?? '' });
    this.count += minutes.size - countBefore;
  }

  /** What waits of a series, as buckets of a width. */
  of(series: number, width: Width): Buckets {
    const buckets: Buckets = new Map();
    addBuckets(buckets, GRIDS[width], this.#bySeries.get(series) ?? []);
    return buckets;
  }

  clear(): void {
    this.#bySeries = new Map();
    this.count = 0;
  }
}
