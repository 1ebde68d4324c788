import { expect, test } from 'vitest';
import { FrameCutter, parsePublish, publishFrame, withId } from './frames.ts';

const MOST = 1_000_000;
const PACKETS = [
  publishFrame('a/b', Buffer.from('small'), 0, false),
  publishFrame('a/large', Buffer.alloc(5000, 'x'), 0, true),
  Buffer.from([0xc0, 0]),
  publishFrame('a/c', Buffer.alloc(200, 'y'), 0, false),
];

function cut(chunks: readonly Buffer[]): Buffer[] {
  const cutter = new FrameCutter();
  const frames: Buffer[] = [];
  for (const chunk of chunks) {
    cutter.push(chunk);
    for (let frame = cutter.next(MOST); frame; frame = cutter.next(MOST)) frames.push(Buffer.from(frame));
  }
  expect(cutter.held).toBe(0);
  return frames;
}

test.each([1, 2, 3, 7, 100, 4999, 100_000])('packets come out whole when they arrive in pieces of %i bytes', (size) => {
  const stream = Buffer.concat(PACKETS);
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
  expect(cut(chunks)).toEqual(PACKETS);
});

test('chunks that were pushed before anything was taken are cut, too', () => {
  const cutter = new FrameCutter();
  const stream = Buffer.concat(PACKETS);
  cutter.push(stream.subarray(0, 20));
  cutter.push(stream.subarray(20, 5100));
  cutter.push(stream.subarray(5100));
  expect(cutter.held).toBe(stream.length);
  expect(PACKETS.map(() => Buffer.from(cutter.next(MOST) ?? ''))).toEqual(PACKETS);
});

test('a packet that is announced as too large is refused when its header is there', () => {
  const cutter = new FrameCutter();
  cutter.push(Buffer.from([0x30, 0x80, 0x80]));
  expect(cutter.next(1000)).toBeUndefined();
  cutter.push(Buffer.from([0x01]));
  expect(() => cutter.next(1000)).toThrow('sent a packet of 16388 bytes; 1000 are allowed');
});

test('a length of five bytes is malformed', () => {
  const cutter = new FrameCutter();
  cutter.push(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]));
  expect(() => cutter.next(MOST)).toThrow('malformed');
});

test.each([0, 10, 127, 128, 16_383, 16_384, 70_000])('a PUBLISH with %i bytes comes back as it was', (bytes) => {
  const payload = Buffer.alloc(bytes, 'z');
  expect(parsePublish(publishFrame('wohn/küche', payload, 0, true))).toEqual({ topic: 'wohn/küche', payload, qos: 0, retain: true, id: 0 });
  const frame = withId(publishFrame('t', payload, 2, false), 0xabcd, true);
  expect(parsePublish(frame)).toEqual({ topic: 't', payload, qos: 2, retain: false, id: 0xabcd });
  expect((frame[0] ?? 0) & 0x08).toBe(0x08);
});

test.each([
  ['both QoS bits', [0x36, 5, 0, 1, 0x61, 0, 1], 'both QoS bits'],
  ['a topic that ends after the packet', [0x30, 3, 0, 9, 0x61], 'longer than the packet'],
  ['no topic', [0x30, 1, 0], 'without a topic'],
  ['no identifier', [0x32, 3, 0, 1, 0x61], 'without a packet identifier'],
  ['identifier 0', [0x32, 5, 0, 1, 0x61, 0, 0], 'packet identifier 0'],
  ['a surrogate in its topic', [0x30, 5, 0, 3, 0xed, 0xa0, 0x80], 'not UTF-8'],
])('a PUBLISH with %s is refused', (_what, bytes, message) => {
  expect(() => parsePublish(Buffer.from(bytes))).toThrow(message);
});
