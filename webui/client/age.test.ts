import { expect, test } from 'vitest';
import { countdownText, isStale, learnRhythm } from './age.ts';

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
