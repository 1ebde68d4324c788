import { expect, test } from 'vitest';
import { Spark } from './spark.ts';

const NOW_MS = Date.parse('2026-11-24T10:00:30Z');
const minutesAgo = (minutes: number) => NOW_MS - minutes * 60_000;
const at = (minutes: number, mean: number) => ({ time: new Date(minutesAgo(minutes)).toISOString(), mean });

test('one point is no line yet', () => {
  const spark = new Spark();
  spark.add(5, NOW_MS);
  expect(spark.line(NOW_MS, 59, 10)).toBe('');
});

test('the line goes from an hour ago to now, high values at the top', () => {
  const spark = new Spark();
  spark.fill([at(59, 0), at(29, 10)]);
  spark.add(5, NOW_MS);
  expect(spark.line(NOW_MS, 59, 10)).toBe('M0.0 10.0L30.0 0.0L59.0 5.0');
});

test('several values of a minute are their mean, and what is older than an hour goes', () => {
  const spark = new Spark();
  spark.fill([at(80, 100), at(1, 0)]);
  spark.add(5, NOW_MS);
  spark.add(15, NOW_MS + 1000);
  expect(spark.line(NOW_MS, 50, 10)).toBe('M0.0 10.0L50.0 0.0');
});

test('what does not move is a flat line in the middle', () => {
  const spark = new Spark();
  spark.fill([at(59, 20), at(0, 20)]);
  expect(spark.line(NOW_MS, 59, 10)).toBe('M0.0 5.0L59.0 5.0');
});

test('a value holds until there is another', () => {
  const spark = new Spark();
  spark.fill([at(10, 0), at(5, 10)]);
  expect(spark.line(NOW_MS, 50, 10)).toBe('M0.0 10.0L25.0 0.0L50.0 0.0');
});
