import { expect, test } from 'vitest';
import { ageText, countdownText, isStale, learnRhythm } from './age.ts';

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

test('a countdown has minutes and two digits of seconds, and stops at nothing', () => {
  expect([75, 60, 9.2, 0, -3].map(countdownText)).toEqual(['1:15', '1:00', '0:10', '0:00', '0:00']);
});

test('a value is stale after five missed beats of its rhythm, but never before half a minute', () => {
  expect([isStale(29_000, 1000), isStale(31_000, 1000)]).toEqual([false, true]);
  expect([isStale(290_000, 60_000), isStale(310_000, 60_000)]).toEqual([false, true]);
});

test('a value that came once has no rhythm and does not go stale', () => {
  expect(isStale(1e9, undefined)).toBe(false);
});

test('the rhythm follows a change of pace, but not at once', () => {
  const slow = learnRhythm(learnRhythm(undefined, 1000), 5000);
  expect(slow).toBeGreaterThan(1000);
  expect(slow).toBeLessThan(5000);
});
