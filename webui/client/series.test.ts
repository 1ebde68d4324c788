import { expect, test } from 'vitest';
import { changesOf, columnsOf, extentOf } from './series.ts';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();

test('raw and rolled-up points stand side by side', () => {
  const points = [
    { time: at(0), value: 3 },
    { time: at(60), mean: 5, min: 1, max: 9, count: 3 },
  ];
  const columns = columnsOf(points);
  expect(columns).toEqual([
    [0, 60],
    [3, 5],
    [3, 1],
    [3, 9],
  ]);
  expect(extentOf(points, columns)).toEqual({ low: 1, mean: 4.5, high: 9 });
});

test('a long silence is a hole in the line', () => {
  const [times, means] = columnsOf([0, 10, 20, 30, 400, 410].map((seconds) => ({ time: at(seconds), value: seconds })));
  expect(times).toEqual([0, 10, 20, 30, 215, 400, 410]);
  expect(means[4]).toBeNull();
});

test('nothing has no extent', () => {
  expect(extentOf([], columnsOf([]))).toBeUndefined();
});

test('of words only the changes are told, newest first', () => {
  const points = ['eco', 'eco', 'boost', 'eco'].map((value, i) => ({ time: at(i), value }));
  expect(changesOf(points)).toEqual([
    { timeMs: 3000, value: 'eco' },
    { timeMs: 2000, value: 'boost' },
    { timeMs: 0, value: 'eco' },
  ]);
});
