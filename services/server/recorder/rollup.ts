import type { Value } from '@ledge/contract';
import type { Sample } from './batch.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readIntegers, readNumbers, readValues, writeIntegers, writeNumbers, writeValues } from './columns.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Buckets of one width are stored together, one block of bytes per series: an hour of minutes, a day of hours. */
export const BLOCK_MS = { [MINUTE_MS]: HOUR_MS, [HOUR_MS]: DAY_MS } as const;
export type Width = keyof typeof BLOCK_MS;
export const WIDTHS: readonly Width[] = [MINUTE_MS, HOUR_MS];

/** Sums are kept to so many digits: the rest is noise of adding, and would take six bytes each. */
const SUM_DIGITS = 14;

/** What is known of the readings of a stretch of time. Numbers and other values are counted apart. */
export interface Bucket {
  /** Of the numbers. */
  count: number;
  min: number;
  max: number;
  sum: number;
  /** Of everything that is no number, and the last of it. */
  others: number;
  last: Value;
  lastMs: number;
}
/** By the time at which each begins, ms since 1970. */
export type Buckets = Map<number, Bucket>;

export const emptyBucket = (): Bucket => ({
  count: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  sum: 0,
  others: 0,
  last: '',
  lastMs: Number.NEGATIVE_INFINITY,
});

/** Says at which time the bucket begins that a time belongs to. */
export type Grid = (atMs: number) => number;
export const grid =
  (widthMs: number, originMs = 0): Grid =>
  (atMs) =>
    originMs + Math.floor((atMs - originMs) / widthMs) * widthMs;
export const GRIDS: Record<Width, Grid> = { [MINUTE_MS]: grid(MINUTE_MS), [HOUR_MS]: grid(HOUR_MS) };

function bucketAt(buckets: Buckets, startMs: number): Bucket {
  let bucket = buckets.get(startMs);
  if (!bucket) {
    bucket = emptyBucket();
    buckets.set(startMs, bucket);
  }
  return bucket;
}

/** Adds one reading to the bucket of its time. */
export function addSample(buckets: Buckets, to: Grid, { atMs, value }: Pick<Sample, 'atMs' | 'value'>): void {
  const bucket = bucketAt(buckets, to(atMs));
  if (typeof value === 'number') {
    bucket.count++;
    bucket.min = Math.min(bucket.min, value);
    bucket.max = Math.max(bucket.max, value);
    bucket.sum += value;
  } else {
    bucket.others++;
    if (atMs >= bucket.lastMs) {
      bucket.last = value;
      bucket.lastMs = atMs;
    }
  }
}

/** Adds whole buckets to those of the same or a greater width. In whatever order they come, the outcome is the same. */
export function addBuckets(buckets: Buckets, to: Grid, from: Iterable<[startMs: number, bucket: Bucket]>): void {
  for (const [startMs, bucket] of from) {
    const sum = bucketAt(buckets, to(startMs));
    sum.count += bucket.count;
    sum.min = Math.min(sum.min, bucket.min);
    sum.max = Math.max(sum.max, bucket.max);
    sum.sum += bucket.sum;
    sum.others += bucket.others;
    if (bucket.lastMs >= sum.lastMs) {
      sum.last = bucket.last;
      sum.lastMs = bucket.lastMs;
    }
  }
}

/** Buckets of one block as bytes: first those with numbers, then those with other values, column by column. */
export function encodeBlock(buckets: Buckets, width: Width, blockMs: number): Buffer {
  const to = new ByteWriter();
  const rows = [...buckets].map(([startMs, bucket]) => ({ startMs, ...bucket })).sort((a, b) => a.startMs - b.startMs);
  const index = (row: { startMs: number }) => (row.startMs - blockMs) / width;

  const numeric = rows.filter((row) => row.count > 0);
  to.unsigned(numeric.length);
  for (const integers of [numeric.map(index), numeric.map((row) => row.count)]) writeIntegers(to, integers);
  const sums = numeric.map((row) => Number(row.sum.toPrecision(SUM_DIGITS)));
  for (const numbers of [numeric.map((row) => row.min), numeric.map((row) => row.max), sums]) writeNumbers(to, numbers);

  const other = rows.filter((row) => row.others > 0);
  to.unsigned(other.length);
  const lastOffsetsMs = other.map((row) => row.lastMs - row.startMs);
  for (const integers of [other.map(index), other.map((row) => row.others), lastOffsetsMs]) writeIntegers(to, integers);
  const lasts = other.map((row) => row.last);
  writeValues(to, lasts);
  return Buffer.from(to.bytes);
}

export function decodeBlock(block: Uint8Array, width: Width, blockMs: number): Buckets {
  const from = new ByteReader(Buffer.from(block.buffer, block.byteOffset, block.byteLength));
  const buckets: Buckets = new Map();
  const starts = (count: number) => readIntegers(from, count).map((index) => blockMs + index * width);
  const numericCount = from.unsigned();
  const numericStarts = starts(numericCount);
  const counts = readIntegers(from, numericCount);
  const mins = readNumbers(from, numericCount);
  const maxs = readNumbers(from, numericCount);
  const sums = readNumbers(from, numericCount);
  for (const [i, startMs] of numericStarts.entries()) {
    const bucket = bucketAt(buckets, startMs);
    Object.assign(bucket, { count: counts[i], min: mins[i], max: maxs[i], sum: sums[i] });
  }
  const otherCount = from.unsigned();
  const otherStarts = starts(otherCount);
  const others = readIntegers(from, otherCount);
  const lastOffsets = readIntegers(from, otherCount);
  const lasts = readValues(from, otherCount);
  for (const [i, startMs] of otherStarts.entries()) {
    const bucket = bucketAt(buckets, startMs);
    Object.assign(bucket, { others: others[i], last: lasts[i], lastMs: startMs + (lastOffsets[i] ?? 0) });
  }
  return buckets;
}
