import { expect, test } from 'vitest';
import { MAX_RANGES, SeqSet } from './seq-set.ts';
import { seededRandom } from './test-tools/sensors.ts';

test('holds exactly what was added, in whatever order it came', () => {
  const random = seededRandom(5);
  for (let round = 0; round < 200; round++) {
    const set = new SeqSet();
    const wanted = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const seq = Math.floor(random() * 150);
      set.add(seq);
      wanted.add(seq);
    }
    for (let seq = 0; seq < 150; seq++) expect(set.has(seq)).toBe(wanted.has(seq));
    for (const [i, [from, to]] of set.ranges.entries()) {
      expect(from).toBeLessThanOrEqual(to);
      const next = set.ranges[i + 1];
      if (next) expect(next[0]).toBeGreaterThan(to + 1);
    }
  }
});

test('numbers without holes are one range, however many', () => {
  const set = new SeqSet();
  for (let seq = 0; seq < 100_000; seq++) set.add(seq);
  expect(set.ranges).toEqual([[0, 99_999]]);
});

test('what was stored is the same set again', () => {
  const set = new SeqSet();
  for (const seq of [5, 6, 9, 1]) set.add(seq);
  expect(new SeqSet(JSON.parse(JSON.stringify(set.ranges))).ranges).toEqual([
    [1, 1],
    [5, 6],
    [9, 9],
  ]);
});

test('with too many holes the oldest is forgotten, never the newest', () => {
  const set = new SeqSet();
  for (let i = 0; i <= MAX_RANGES; i++) set.add(i * 10);
  expect(set.ranges.length).toBe(MAX_RANGES);
  expect(set.has(5)).toBe(true);
  expect(set.has((MAX_RANGES - 1) * 10 + 5)).toBe(false);
});
