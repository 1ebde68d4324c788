import { expect, test } from 'vitest';
import { QUIET_AFTER_MS, STALLED_AFTER_MS, Stall } from './stall.ts';

test('progress is progress, forward or back', () => {
  const stall = new Stall(0);
  expect(stall.see(0, 500)).toBe('moving');
  expect(stall.see(0.5, 1000)).toBe('moving');
  expect(stall.see(0.1, 1500)).toBe('moving');
});

test('without progress, or without an answer, it is quiet, then stalled, and moves again', () => {
  const stall = new Stall(0);
  stall.see(7, 1000);
  expect(stall.see(7, 1000 + QUIET_AFTER_MS - 1)).toBe('waiting');
  expect(stall.see(null, 1000 + QUIET_AFTER_MS)).toBe('quiet');
  expect(stall.see(7, 1000 + STALLED_AFTER_MS)).toBe('stalled');
  expect(stall.see(7.5, 9000)).toBe('moving');
});

test('a pause that was wanted does not count', () => {
  const stall = new Stall(0);
  stall.see(7, 1000);
  stall.excuse(60_000);
  expect(stall.see(7, 60_500)).toBe('waiting');
});
