import { expect, test } from 'vitest';
import { quantile, table } from './statistics.ts';

test('a quantile is the value below which that share lies', () => {
  const values = Array.from({ length: 100 }, (_, i) => 99 - i);
  expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99), quantile([7], 0.99)]).toEqual([0, 50, 99, 7]);
  expect(quantile([], 0.5)).toBeNaN();
});

test('a table is Markdown whose numbers stand to the right', () => {
  expect(
    table(
      ['what', 'seen'],
      [
        ['start', '9 ms'],
        ['idle', '10 ms'],
      ],
    ),
  ).toBe('| what  |  seen |\n|-------|------:|\n| start |  9 ms |\n| idle  | 10 ms |');
});
