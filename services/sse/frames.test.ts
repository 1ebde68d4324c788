import { expect, test } from 'vitest';
import { eventFrame, messageFrame } from './frames.ts';
import { readEvents } from './test-sink.ts';

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('a message is one event with its id, topic and payload', () => {
  const frame = messageFrame({ topic: 'garden/pump', payload: Buffer.from('on') }, 'a-1');
  expect(frame.toString()).toBe('id: a-1\nevent: message\ndata: {"topic":"garden/pump","payload":"on"}\n\n');
});

test('a payload that is no UTF-8 goes as base64', () => {
  const [event] = readEvents(messageFrame({ topic: 't', payload: Buffer.from([0xff, 0x00, 0x80]) }).toString());
  expect(event?.data).toEqual({ topic: 't', payload: '/wCA', base64: true });
});

test('a line break in an id is refused, because it would begin a field of its own', () => {
  for (const id of ['a\ndata: evil', 'a\rb', 'a\0b']) expect(() => eventFrame('live', {}, id)).toThrow(/line break/);
});

test('whatever a message holds, it stays one event and comes out as it went in', () => {
  const random = seeded(20260101);
  const nasty = ['\n', '\r', '\r\n', '\n\n', 'data: x', 'id: 1', ':', '\0', '\u2028', '\u2029', '\ufeff', '"', '\\', '😀', 'é', ' '];
  const pick = () => nasty[Math.floor(random() * nasty.length)] ?? '';
  for (let round = 0; round < 2000; round++) {
    const topic = Array.from({ length: 1 + Math.floor(random() * 6) }, pick).join('');
    const asBytes = random() < 0.4;
    const payload = asBytes
      ? Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)))
      : Buffer.from(Array.from({ length: Math.floor(random() * 20) }, pick).join(''));
    const stream = Buffer.concat([messageFrame({ topic, payload, retained: random() < 0.5 }, `a-${round}`), eventFrame('live', { topic })]);
    const events = readEvents(stream.toString());
    expect(events).toHaveLength(2);
    const data = events[0]?.data;
    expect(data?.topic).toBe(topic);
    expect(Buffer.from(String(data?.payload), data?.base64 ? 'base64' : 'utf8').equals(payload)).toBe(true);
  }
});
