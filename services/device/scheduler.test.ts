import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Scheduler } from './scheduler.ts';

const begin = () => {
  const clock = fakeClock();
  const errors: unknown[] = [];
  return { clock, errors, scheduler: new Scheduler(clock, (error) => errors.push(error)) };
};

test('runs each task at its own interval', async () => {
  const { clock, scheduler } = begin();
  const at: string[] = [];
  scheduler.every(100, () => at.push(`fast ${clock.monotonic()}`));
  scheduler.every(250, () => at.push(`slow ${clock.monotonic()}`));
  await clock.advance(300);
  expect(at).toEqual(['fast 100', 'fast 200', 'slow 250', 'fast 300']);
});

test('needs one timer for a hundred tasks, and none when they are gone', async () => {
  const { clock, scheduler } = begin();
  let calls = 0;
  const cancels = Array.from({ length: 100 }, (_, i) => scheduler.every(100 * (1 + (i % 3)), () => calls++));
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(600);
  expect(calls).toBe(34 * 6 + 33 * 3 + 33 * 2);
  for (const cancel of cancels) cancel();
  expect(clock.pendingTimers).toBe(0);
});

test('keeps the phase of a task that leaves and comes back', async () => {
  const { clock, scheduler } = begin();
  const at: number[] = [];
  const cancel = scheduler.every(100, () => at.push(clock.monotonic()));
  await clock.advance(130);
  cancel();
  scheduler.every(100, () => at.push(clock.monotonic()));
  await clock.advance(100);
  expect(at).toEqual([100, 200]);
});

test('one task that throws does not keep the others from running', async () => {
  const { clock, scheduler, errors } = begin();
  let calls = 0;
  scheduler.every(100, () => {
    throw new Error('broken');
  });
  scheduler.every(100, () => calls++);
  await clock.advance(200);
  expect(calls).toBe(2);
  expect(errors).toHaveLength(2);
});

test('tells how late it is when the process stood still', () => {
  let nowMs = 0;
  const clock = { ...fakeClock(), monotonic: () => nowMs };
  const scheduler = new Scheduler(clock, () => {});
  scheduler.every(100, () => {});
  nowMs = 90;
  expect(scheduler.overdueMs).toBe(0);
  nowMs = 6100;
  expect(scheduler.overdueMs).toBe(6000);
});
