import type { Value } from '@ledge/contract';

/** One reading of a known series. `atMs` is when it was measured, milliseconds since 1970. */
export interface Sample {
  atMs: number;
  seq: number;
  value: Value;
}

/** Samples of one series, column by column, in the order in which they came. */
export interface Columns {
  timesMs: number[];
  seqs: number[];
  values: Value[];
}

/** Samples that are saved together. */
export class Batch {
  readonly columns = new Map<number, Columns>();
  count = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;

  add(series: number, { atMs, seq, value }: Sample): void {
    let columns = this.columns.get(series);
    if (!columns) {
      columns = { timesMs: [], seqs: [], values: [] };
      this.columns.set(series, columns);
    }
    columns.timesMs.push(atMs);
    columns.seqs.push(seq);
    columns.values.push(value);
    this.count++;
    this.firstMs = Math.min(this.firstMs, atMs);
    this.lastMs = Math.max(this.lastMs, atMs);
  }

  samples(series: number): Sample[] {
    return samplesOf(this.columns.get(series));
  }
}

export function samplesOf(columns: Columns | undefined): Sample[] {
  if (!columns) return [];
  return columns.timesMs.map((atMs, i) => ({ atMs, seq: columns.seqs[i] ?? 0, value: columns.values[i] ?? '' }));
}
