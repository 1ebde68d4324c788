import { expect, test } from 'vitest';
import { FrameBatch } from './frame-batch.ts';

function given() {
  const frames: (() => void)[] = [];
  const applied: string[][] = [];
  const batch = new FrameBatch(
    (task) => {
      frames.push(task);
      return () => {};
    },
    (messages) => applied.push(messages.map(({ topic, payload }) => `${topic}=${payload}`)),
  );
  return { frames, applied, batch };
}

test('however many messages come, they are one frame of work, with the last value of each topic', () => {
  const { frames, applied, batch } = given();
  for (let i = 0; i < 1000; i++) batch.add({ topic: `t/${i % 2}`, payload: String(i) });
  expect([frames.length, applied.length]).toEqual([1, 0]);
  frames[0]?.();
  expect(applied).toEqual([['t/0=998', 't/1=999']]);
  batch.add({ topic: 't', payload: 'next' });
  expect(frames).toHaveLength(2);
});

test('a topic that is said again goes to the end, so that order is kept among the last values', () => {
  const { frames, applied, batch } = given();
  for (const [topic, payload] of [
    ['a', '1'],
    ['b', '1'],
    ['a', '2'],
  ] as const)
    batch.add({ topic, payload });
  frames[0]?.();
  expect(applied).toEqual([['b=1', 'a=2']]);
});

test('after stop nothing is handed over', () => {
  const { frames, applied, batch } = given();
  batch.add({ topic: 't', payload: '1' });
  batch.stop();
  frames[0]?.();
  expect(applied).toEqual([]);
});
