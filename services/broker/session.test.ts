import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { packetType, parseAckId, parsePublish, type Qos, TYPE } from './frames.ts';
import { INFLIGHT_MESSAGES } from './limits.ts';
import { Message } from './message.ts';
import { Session, type SessionKeeper, type Way } from './session.ts';

class FakeWay implements Way {
  readonly frames: Buffer[] = [];
  denied = '';
  mayReceive(topic: string) {
    return topic !== this.denied;
  }
  offer(frame: Buffer) {
    this.frames.push(frame);
  }
  send(frame: Buffer) {
    this.frames.push(Buffer.from(frame));
  }
  get publishes() {
    return this.frames.filter((frame) => packetType(frame) === TYPE.publish).map(parsePublish);
  }
}

function make(clean = false) {
  const kept = { stored: 0, done: 0, overflowed: 0, bytes: 0, full: false };
  const clock = fakeClock();
  const keeper: SessionKeeper = {
    clock,
    store: () => void kept.stored++,
    done: () => void kept.done++,
    overflowed: () => void kept.overflowed++,
    full: () => (kept.full ? 'queuedMessages' : undefined),
    queued(deltaBytes) {
      kept.bytes += deltaBytes;
    },
  };
  return { session: new Session('s', clean, keeper), way: new FakeWay(), kept, clock };
}
const message = (text: string, qos: Qos = 1) => new Message('a/b', Buffer.from(text), qos, false);

test('the lower QoS of message and subscription counts', () => {
  const { session, way } = make();
  session.attach(way);
  session.deliver(message('0', 2), 0);
  session.deliver(message('1', 2), 1);
  session.deliver(message('2', 1), 2);
  expect(way.publishes.map(({ qos }) => qos)).toEqual([0, 1, 1]);
});

test('what comes while the client is away waits in a lasting session, with QoS 1 and 2 only', () => {
  const { session, way } = make();
  for (const qos of [0, 1, 2] as const) session.deliver(message(String(qos), qos), 2);
  session.attach(way);
  expect(way.publishes.map(({ payload }) => String(payload))).toEqual(['1', '2']);
});

test('a clean session without its client keeps nothing', () => {
  const { session, way, kept } = make(true);
  session.deliver(message('lost'), 1);
  session.attach(way);
  expect(way.frames).toEqual([]);
  expect(kept.bytes).toBe(0);
});

test('after a reconnect unacknowledged messages come again, in order, with their identifiers and DUP', () => {
  const { session, way } = make();
  session.attach(way);
  session.deliver(message('1'), 1);
  session.deliver(message('2'), 1);
  session.deliver(message('3'), 1);
  session.acknowledged(way.publishes[1]?.id ?? 0);
  session.detach(way);
  const next = new FakeWay();
  session.attach(next);
  expect(next.publishes.map(({ payload, id }) => `${payload} ${id}`)).toEqual(
    way.publishes.filter(({ payload }) => String(payload) !== '2').map(({ payload, id }) => `${payload} ${id}`),
  );
  expect(next.frames.every((frame) => ((frame[0] ?? 0) & 8) === 8)).toBe(true);
});

test('QoS 2 goes on with PUBREL where it was when the connection broke', () => {
  const { session, way, kept } = make();
  session.attach(way);
  session.deliver(message('1', 2), 2);
  const id = way.publishes[0]?.id ?? 0;
  session.received(id);
  session.detach(way);
  const next = new FakeWay();
  session.attach(next);
  expect(next.frames.map((frame) => [packetType(frame), parseAckId(frame)])).toEqual([[TYPE.pubrel, id]]);
  session.acknowledged(id);
  expect(kept).toMatchObject({ done: 1, bytes: 0 });
});

test('so many messages are on their way at a time, and each acknowledgement lets the next one go', () => {
  const { session, way, kept } = make(true);
  session.attach(way);
  for (let n = 0; n < INFLIGHT_MESSAGES + 10; n++) session.deliver(message(String(n)), 1);
  expect(way.publishes).toHaveLength(INFLIGHT_MESSAGES);
  expect(session.queuedMessages).toBe(INFLIGHT_MESSAGES + 10);
  for (let n = 0; n < way.publishes.length; n++) session.acknowledged(way.publishes[n]?.id ?? 0);
  expect(way.publishes.map(({ payload }) => Number(payload))).toEqual(Array.from({ length: INFLIGHT_MESSAGES + 10 }, (_, n) => n));
  expect(kept.bytes).toBe(0);
});

test('a message that finds no room is told and not kept', () => {
  const { session, kept } = make();
  kept.full = true;
  session.deliver(message('1'), 1);
  expect(kept).toMatchObject({ overflowed: 1, stored: 0, bytes: 0 });
});

test('what waits is not sent once the rules deny it', () => {
  const { session, way, kept } = make();
  session.deliver(message('1'), 1);
  way.denied = 'a/b';
  session.attach(way);
  expect(way.frames).toEqual([]);
  expect(kept.done).toBe(1);
});

test('a waiting message does not change with the receive buffer that it came in', () => {
  const { session, way } = make();
  const received = Buffer.from('before');
  session.deliver(new Message('a/b', received, 1, false), 1);
  received.write('after!');
  session.attach(way);
  expect(String(way.publishes[0]?.payload)).toBe('before');
});

test('an older connection that ends does not take the session from a newer one', () => {
  const { session, way } = make();
  const next = new FakeWay();
  session.attach(way);
  session.attach(next);
  expect(session.detach(way)).toBe(false);
  expect(session.attached).toBe(true);
});

test('publishers wait for a client that keeps acknowledging, and go on when half of its queue is gone', async () => {
  const { session, way } = make(true);
  session.attach(way);
  for (let n = 0; n < 5000; n++) session.deliver(message('x'), 1);
  expect(session.relief()).toBeUndefined();
  session.deliver(message('x'), 1);
  let goesOn = false;
  const waiting = session.relief()?.then(() => {
    goesOn = true;
  });
  for (let n = 0; n < 2501; n++) session.acknowledged(way.publishes[n]?.id ?? 0);
  await Promise.resolve();
  expect(goesOn).toBe(false);
  session.acknowledged(way.publishes[2501]?.id ?? 0);
  await waiting;
  expect(session.relief()).toBeUndefined();
});

test('a client that does not acknowledge holds its publishers once, for milliseconds, and not again for seconds', async () => {
  const { session, way, clock } = make(true);
  session.attach(way);
  for (let n = 0; n < 5001; n++) session.deliver(message('x'), 1);
  const waiting = session.relief();
  await clock.advance(50);
  await waiting;
  expect(session.relief()).toBeUndefined();
  await clock.advance(4900);
  expect(session.relief()).toBeUndefined();
  await clock.advance(100);
  expect(session.relief()).toBeDefined();
});

test('a client that acknowledges, but few, holds its publishers three times, and not again for seconds', async () => {
  const { session, way, clock } = make(true);
  session.attach(way);
  for (let n = 0; n < 5010; n++) session.deliver(message('x'), 1);
  for (let n = 0; n < 3; n++) {
    const waiting = session.relief();
    expect(waiting).toBeDefined();
    session.acknowledged(way.publishes[n]?.id ?? 0);
    await clock.advance(50);
    await waiting;
  }
  expect(session.relief()).toBeUndefined();
});
