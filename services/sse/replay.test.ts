import { expect, test } from 'vitest';
import { Replay } from './replay.ts';

const numbered = (replay: Replay, count: number) => {
  for (let i = 1; i <= count; i++) replay.add(`t/${i}`, () => Buffer.alloc(10));
};
const topicsAfter = (replay: Replay, seq: number) => [...replay.after(seq)].map((kept) => kept.topic);

test('keeps no more messages than allowed, and knows how far back it reaches', () => {
  const replay = new Replay('ab', { messages: 3, bytes: 1000 });
  numbered(replay, 5);
  expect(topicsAfter(replay, 3)).toEqual(['t/4', 't/5']);
  expect([replay.reachesBack(2), replay.reachesBack(1)]).toEqual([true, false]);
});

test('keeps no more bytes than allowed, through thousands of messages', () => {
  const replay = new Replay('ab', { messages: 1e6, bytes: 95 });
  numbered(replay, 5000);
  expect([replay.messages, replay.bytes]).toEqual([9, 90]);
  expect(topicsAfter(replay, 4998)).toEqual(['t/4999', 't/5000']);
});

test('an id of another process, of the future or of no sense has no number here', () => {
  const replay = new Replay('ab', { messages: 3, bytes: 1000 });
  numbered(replay, 2);
  expect(replay.seqOf('ab-2')).toBe(2);
  for (const id of ['cd-2', 'ab-3', 'ab-', '', '2', 'ab-2\n', 'ab--1']) expect(replay.seqOf(id)).toBeUndefined();
});

test('smaller limits count at once', () => {
  const replay = new Replay('ab', { messages: 10, bytes: 1000 });
  numbered(replay, 10);
  replay.limits = { messages: 2, bytes: 1000 };
  expect(topicsAfter(replay, 0)).toEqual(['t/9', 't/10']);
});
