import { expect, test } from 'vitest';
import { gridFor } from './grid.ts';

test.each([
  [1, 16 / 9, { columns: 1, rows: 1 }],
  [4, 16 / 9, { columns: 2, rows: 2 }],
  [6, 16 / 9, { columns: 3, rows: 2 }],
  [12, 16 / 9, { columns: 4, rows: 3 }],
  [4, 9 / 16, { columns: 1, rows: 4 }],
  [0, 16 / 9, { columns: 1, rows: 1 }],
])('%d tiles in %d', (tiles, aspect, wanted) => {
  expect(gridFor(tiles, aspect)).toEqual(wanted);
});
