import { rulesOfRole } from '@ledge/contract';
import { fakeClock, memoryBus } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { settingsSchema } from './config.ts';
import { Hub } from './hub.ts';
import { QUIET_MS } from './snapshots.ts';
import { TestSink } from './test-sink.ts';

const rules = rulesOfRole('admin', 'ledge-test');

async function givenReaders(count: number, changes: Record<string, unknown> = {}) {
  const bus = memoryBus();
  const clock = fakeClock();
  const hub = new Hub({ bus, clock, log: pino({ level: 'silent' }), instance: 'ab', settings: settingsSchema.parse(changes) });
  hub.start();
  const sinks = await Promise.all(
    Array.from({ length: count }, async () => {
      const sink = new TestSink();
      await hub.join({ filters: ['a/#'], rules, open: () => sink });
      return sink;
    }),
  );
  await clock.advance(3 * QUIET_MS);
  return { bus, clock, hub, sinks };
}

test('a message is made into bytes once, however many readers it has', async () => {
  const { bus, sinks } = await givenReaders(500);
  bus.receive('a/x', 'payload');
  const frames = new Set(sinks.map((sink) => sink.chunks.at(-1)));
  expect(frames.size).toBe(1);
  expect([...frames][0]?.toString()).toContain('"payload"');
});

test('500 readers who come together cost the broker one round of retained values, not 500', async () => {
  const bus = memoryBus();
  const clock = fakeClock();
  let subscribed = 0;
  const { subscribe } = bus;
  bus.subscribe = (...args) => {
    subscribed += 1;
    return subscribe(...args);
  };
  const hub = new Hub({ bus, clock, log: pino({ level: 'silent' }), instance: 'ab', settings: settingsSchema.parse({}) });
  await Promise.all(Array.from({ length: 500 }, () => hub.join({ filters: ['a/#'], rules, open: () => new TestSink() })));
  await clock.advance(10 * QUIET_MS);
  expect(subscribed).toBeLessThanOrEqual(3);
});

test('a frozen reader holds nobody up, keeps the newest, and is told how many it lost', async () => {
  const { bus, sinks } = await givenReaders(3, { queueMessages: 5 });
  const [frozen, ...others] = sinks;
  if (!frozen) throw new Error('no reader');
  frozen.frozen = true;
  for (let i = 0; i < 20; i++) bus.receive('a/x', String(i));
  for (const other of others) expect(other.story.slice(-1)).toEqual(['a/x=19']);
  frozen.thaw();
  // the first one went into the socket's own buffer, which then was full
  expect(frozen.story.slice(2)).toEqual(['a/x=0', '(dropped)', ...[15, 16, 17, 18, 19].map((i) => `a/x=${i}`)]);
  expect(frozen.events.find((e) => e.event === 'dropped')?.data).toEqual({ count: 14 });
});

test('what waits for a frozen reader is bounded in bytes', async () => {
  const { bus, hub, sinks } = await givenReaders(1, { queueBytes: 2000 });
  if (sinks[0]) sinks[0].frozen = true;
  for (let i = 0; i < 1000; i++) bus.receive('a/x', 'y'.repeat(100));
  expect(hub.queuedBytes).toBeLessThanOrEqual(2000);
  expect(hub.queuedBytes).toBeGreaterThan(1500);
});

test('a reader whose socket takes nothing for too long is broken off and forgotten', async () => {
  const { bus, clock, hub, sinks } = await givenReaders(2, { stuckS: 30 });
  const [frozen] = sinks;
  if (!frozen) throw new Error('no reader');
  frozen.frozen = true;
  bus.receive('a/x', '1');
  await clock.advance(29_000);
  expect(frozen.state).toBe('open');
  await clock.advance(1000);
  expect([frozen.state, hub.readers, hub.counters.stuck, hub.queuedBytes]).toEqual(['destroyed', 1, 1, 0]);
});

test('a reader that is slow but moves is not broken off', async () => {
  const { bus, clock, sinks } = await givenReaders(1, { stuckS: 30 });
  const [slow] = sinks;
  if (!slow) throw new Error('no reader');
  for (let i = 0; i < 5; i++) {
    slow.frozen = true;
    bus.receive('a/x', String(i));
    await clock.advance(20_000);
    slow.thaw();
  }
  await clock.advance(60_000);
  expect(slow.state).toBe('open');
  expect(slow.story.slice(2)).toEqual([0, 1, 2, 3, 4].map((i) => `a/x=${i}`));
});
