import type { Track } from '@ledge/contract';
import { expect, test } from 'vitest';
import { Queue } from './queue.ts';

const track = (id: string): Track => ({ id, source: `${id}.mp3`, title: id, durationS: null });
const of = (ids: string, index: number | null = 0) => new Queue([...ids].map(track), index);
const shown = (queue: Queue) => `${queue.tracks.map(({ id }) => id).join('')}@${queue.current?.id ?? '-'}`;

test('tracks are put in at a place, and the one that is on stays on', () => {
  const queue = of('abc', 1);
  queue.insert(track('x'));
  queue.insert(track('y'), 0);
  queue.insert(track('z'), 99);
  expect(shown(queue)).toBe('yabcxz@b');
});

test('a move keeps the track that is on', () => {
  const queue = of('abcd', 1);
  expect(queue.move('b', 3)).toBe(true);
  expect(shown(queue)).toBe('acdb@b');
  expect(queue.move('d', 0)).toBe(true);
  expect(shown(queue)).toBe('dacb@b');
  expect(queue.move('?', 0)).toBe(false);
});

test('the track behind takes the place of one that goes, at the end the one before', () => {
  const queue = of('abc', 1);
  queue.remove('b');
  expect(shown(queue)).toBe('ac@c');
  queue.remove('c');
  expect(shown(queue)).toBe('a@a');
  queue.remove('a');
  expect(shown(queue)).toBe('@-');
});

test('a track before the one that is on goes without disturbing it', () => {
  const queue = of('abc', 2);
  queue.remove('a');
  expect(shown(queue)).toBe('bc@c');
});

test.each([
  ['off', 'abc', 2, false, 'abc@c'],
  ['all', 'abc', 2, true, 'abc@a'],
  ['one', 'abc', 2, true, 'abc@c'],
  ['off', 'abc', 0, true, 'abc@b'],
  ['one', 'a', 0, true, 'a@a'],
  ['all', '', null, false, '@-'],
] as const)('at the end of a track, repeating %s in %s at %s', (repeat, ids, index, more, after) => {
  const queue = of(ids, index);
  expect(queue.advance(repeat)).toBe(more);
  expect(shown(queue)).toBe(after);
});

test('asked for the next, a repeated track is left', () => {
  const queue = of('ab', 0);
  expect(queue.step(1, 'one')).toBe(true);
  expect(shown(queue)).toBe('ab@b');
  expect(queue.step(1, 'one')).toBe(false);
  expect(queue.step(-1, 'off')).toBe(true);
  expect(queue.step(-1, 'off')).toBe(false);
  expect(queue.step(-1, 'all')).toBe(true);
  expect(shown(queue)).toBe('ab@b');
});

test('an index that does not fit what was remembered is forgotten', () => {
  expect(of('ab', 5).index).toBeNull();
});
