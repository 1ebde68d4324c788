import { expect, test } from 'vitest';
import { EventParser } from './event-parser.ts';

const STREAM =
  'retry: 2000\n\n:\n\nid: a-1\nevent: message\ndata: {"a":"é😀"}\n\nevent: live\ndata: 1\ndata: 2\n\ndata:x\r\n\r\nid: a-2\n\n';
const EVENTS = [
  { event: 'message', data: '{"a":"é😀"}', id: 'a-1' },
  { event: 'live', data: '1\n2', id: undefined },
  { event: 'message', data: 'x', id: undefined },
];

test('events come out whole wherever the network cuts the stream', () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new EventParser();
    expect([...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))]).toEqual(EVENTS);
  }
});

test('an event that is not finished is not told', () => {
  expect(new EventParser().feed('event: message\ndata: 1\n')).toEqual([]);
});
