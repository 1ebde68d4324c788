import { expect, test } from 'vitest';
import type { Sample } from './batch.ts';
import { addBuckets, addSample, type Buckets, decodeBlock, encodeBlock, GRIDS, grid, HOUR_MS, MINUTE_MS } from './rollup.ts';
import { START, seededRandom } from './test-tools/sensors.ts';

const random = seededRandom(9);
const samples: Sample[] = Array.from({ length: 3000 }, (_, seq) => ({
  atMs: START + Math.floor(random() * HOUR_MS),
  seq,
  value: seq % 10 === 0 ? (seq % 20 === 0 ? 'on' : true) : Math.round(random() * 1000) / 8,
}));
const rolled = (from: readonly Sample[], width: number) => {
  const buckets: Buckets = new Map();
  for (const sample of from) addSample(buckets, grid(width), sample);
  return buckets;
};
const sorted = (buckets: Buckets) => [...buckets].sort(([a], [b]) => a - b);

test('a minute knows count, smallest, largest and sum of its numbers, and the last of other values', () => {
  const minute = samples.filter(({ atMs }) => GRIDS[MINUTE_MS](atMs) === START);
  const numbers = minute.flatMap(({ value }) => (typeof value === 'number' ? [value] : []));
  const last = minute.filter(({ value }) => typeof value !== 'number').sort((a, b) => b.atMs - a.atMs)[0];
  expect(rolled(minute, MINUTE_MS).get(START)).toEqual({
    count: numbers.length,
    min: Math.min(...numbers),
    max: Math.max(...numbers),
    sum: numbers.reduce((a, b) => a + b),
    others: minute.length - numbers.length,
    last: last?.value,
    lastMs: last?.atMs,
  });
});

test('minutes put together are the hour, in whatever order they come', () => {
  const hours: Buckets = new Map();
  addBuckets(hours, GRIDS[HOUR_MS], [...rolled(samples, MINUTE_MS)].reverse());
  expect(sorted(hours)).toEqual(sorted(rolled(samples, HOUR_MS)));
});

test('late readings added to a stored block make the block that it would have been', () => {
  const stored = encodeBlock(rolled(samples.slice(0, 2000), MINUTE_MS), MINUTE_MS, START);
  const corrected = decodeBlock(stored, MINUTE_MS, START);
  addBuckets(corrected, GRIDS[MINUTE_MS], rolled(samples.slice(2000), MINUTE_MS));
  expect(sorted(corrected)).toEqual(sorted(rolled(samples, MINUTE_MS)));
});

test('an hour of minutes of one sensor takes less than 400 bytes', () => {
  const numbers = Array.from({ length: 3600 }, (_, i) => ({
    atMs: START + i * 1000,
    value: Number((20 + Math.sin(i / 300) + random() / 10).toFixed(2)),
  }));
  const buckets: Buckets = new Map();
  for (const sample of numbers) addSample(buckets, GRIDS[MINUTE_MS], sample);
  expect(encodeBlock(buckets, MINUTE_MS, START).length).toBeLessThan(400);
});
