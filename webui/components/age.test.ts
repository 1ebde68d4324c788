import { expect, test } from 'vitest';
import { loadWords } from '../words/words.ts';
import { ageText } from './age.ts';

await loadWords('shell');

test.each([
  [-5000, 'now'],
  [0, 'now'],
  [1999, 'now'],
  [2000, '2 s ago'],
  [59_999, '59 s ago'],
  [60_000, '1 min ago'],
  [3_599_999, '59 min ago'],
  [3_600_000, '1 h ago'],
  [86_399_999, '23 h ago'],
  [86_400_000, '1 d ago'],
  [864_000_000, '10 d ago'],
])('an age of %d ms reads "%s"', (ageMs, text) => {
  expect(ageText(ageMs)).toBe(text);
});
