import { rulesOfRole } from '@ledge/contract';
import type { Bus } from '@ledge/kit';
import { fakeClock, memoryBus } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { type Settings, settingsSchema } from './config.ts';
import { Hub } from './hub.ts';
import { MAX_AT_ONCE, QUIET_MS } from './snapshots.ts';
import { TestSink } from './test-sink.ts';
import { MAX_FILTERS } from './upstream.ts';

const EDGE = 'ledge-test';
const SNAPSHOT_MS = 3 * QUIET_MS;
const admin = rulesOfRole('admin', EDGE);

function given(changes: Partial<Settings> = {}) {
  const bus = memoryBus();
  const clock = fakeClock();
  const hub = new Hub({
    bus,
    clock,
    log: pino({ level: 'silent' }),
    instance: 'ab',
    settings: { ...settingsSchema.parse({}), ...changes },
  });
  hub.start();
  const join = async (filters: string[], options: { lastEventId?: string | undefined; rules?: typeof admin } = {}) => {
    const sink = new TestSink();
    const reader = await hub.join({ filters, rules: options.rules ?? admin, lastEventId: options.lastEventId, open: () => sink });
    return { sink, reader, leave: () => hub.leave(reader) };
  };
  /** Joins and waits until the retained values are said; the story begins after that. */
  const listen = async (filters: string[], options: { lastEventId?: string; rules?: typeof admin } = {}) => {
    const joined = await join(filters, options);
    await clock.advance(SNAPSHOT_MS);
    return joined;
  };
  return { bus, clock, hub, join, listen };
}

test('retained values come first, then live ones', async () => {
  const { bus, clock, join } = given();
  await bus.publish('a/x', 'old', { retain: true });
  const { sink } = await join(['a/#']);
  bus.receive('a/x', 'new');
  await clock.advance(SNAPSHOT_MS);
  bus.receive('a/y', '1');
  expect(sink.story).toEqual(['(bus)', 'a/x=old retained', '(live)', 'a/x=new', 'a/y=1']);
});

test('what was retained since another reader came is there for the next one', async () => {
  const { bus, listen } = given();
  await listen(['a/#']);
  await bus.publish('a/new', '1', { retain: true });
  await bus.publish('a/passing', '2');
  const { sink } = await listen(['a/#']);
  expect(sink.story).toEqual(['(bus)', 'a/new=1 retained', '(live)']);
});

test('overlapping filters of one reader and of others say each message once', async () => {
  const { bus, listen } = given();
  await bus.publish('a/b', 'kept', { retain: true });
  const one = await listen(['a/+', 'a/b', 'a/#']);
  await listen(['+/b']);
  bus.receive('a/b', 'live');
  expect(one.sink.story.filter((line) => line.startsWith('a/'))).toEqual(['a/b=kept retained', 'a/b=live']);
});

test('a reader who comes back gets exactly what it missed', async () => {
  const { bus, listen } = given();
  const first = await listen(['a/#']);
  bus.receive('a/x', '1');
  first.leave();
  bus.receive('a/x', '2');
  bus.receive('b/x', 'not for it');
  bus.receive('a/y', '3');
  const again = await listen(['a/#'], { lastEventId: first.sink.lastId ?? '' });
  bus.receive('a/x', '4');
  expect(again.sink.story).toEqual(['(bus)', 'a/x=2', 'a/y=3', '(live)', 'a/x=4']);
});

test('all readers are disconnected when that is asked for, and may come back', async () => {
  const { bus, hub, listen } = given();
  const { sink } = await listen(['a/#']);
  await listen(['b/#']);
  expect(hub.dismiss()).toBe(2);
  expect(hub.readers).toBe(0);
  bus.receive('a/x', '1');
  expect(sink.story).not.toContain('a/x=1');
  const again = await listen(['a/#']);
  bus.receive('a/x', '2');
  expect(again.sink.story).toContain('a/x=2');
  expect(hub.dismiss()).toBe(1);
});

test('a reader that broke off before all retained values were said has no id yet and gets them again', async () => {
  const { bus, join } = given();
  await bus.publish('a/x', 'old', { retain: true });
  const { sink } = await join(['a/#']);
  bus.receive('a/y', '1');
  expect(sink.lastId).toBeUndefined();
});

test.each([
  ['of another process', 'cd-1'],
  ['that is no id', 'x\u0000y'],
])('an id %s is answered with a gap and the retained values', async (_, lastEventId) => {
  const { bus, listen } = given();
  await bus.publish('a/x', 'old', { retain: true });
  const { sink } = await listen(['a/#'], { lastEventId });
  expect(sink.story).toEqual(['(bus)', '(gap)', 'a/x=old retained', '(live)']);
});

test('a gap longer than the buffer is told', async () => {
  const { bus, listen } = given({ replayMessages: 2 });
  const first = await listen(['a/#']);
  first.leave();
  for (const value of ['1', '2', '3']) bus.receive('a/x', value);
  const { sink } = await listen(['a/#'], { lastEventId: first.sink.lastId ?? '' });
  expect(sink.story).toEqual(['(bus)', '(gap)', '(live)']);
});

test('a filter that nobody listened to for a while cannot be resumed', async () => {
  const { bus, clock, listen } = given({ lingerS: 60 });
  const other = await listen(['b/#']);
  const first = await listen(['a/#']);
  first.leave();
  await clock.advance(60_000);
  bus.receive('a/x', 'unheard');
  const { sink } = await listen(['a/#'], { lastEventId: first.sink.lastId ?? '' });
  expect(sink.story[1]).toBe('(gap)');
  other.leave();
});

test('who came back over a broken broker connection is told of the gap', async () => {
  const { bus, listen } = given();
  const first = await listen(['a/#']);
  first.leave();
  bus.disconnect();
  bus.connect();
  const { sink } = await listen(['a/#'], { lastEventId: first.sink.lastId ?? '' });
  expect(sink.story[1]).toBe('(gap)');
});

test('who comes back while the broker is away is told of the gap', async () => {
  const { bus, listen } = given();
  const first = await listen(['a/#']);
  first.leave();
  bus.disconnect();
  const { sink } = await listen(['a/#'], { lastEventId: first.sink.lastId ?? '' });
  expect(sink.story).toEqual(['(bus)', '(gap)']);
});

test('retained values that a lost broker did not finish saying are not called complete', async () => {
  const { bus, clock, join } = given();
  const { sink } = await join(['a/#']);
  bus.disconnect();
  await clock.advance(SNAPSHOT_MS);
  expect(sink.story).toEqual(['(bus)', '(bus)']);
  bus.connect();
  await clock.advance(SNAPSHOT_MS);
  expect(sink.story).toEqual(['(bus)', '(bus)', '(bus)', '(live)']);
});

test('when the broker comes back readers are told and get the retained values again', async () => {
  const { bus, clock, listen } = given();
  await bus.publish('a/x', '1', { retain: true });
  const { sink } = await listen(['a/#']);
  bus.disconnect();
  bus.connect();
  bus.receive('a/x', '2');
  await clock.advance(SNAPSHOT_MS);
  expect(sink.story).toEqual(['(bus)', 'a/x=1 retained', '(live)', '(bus)', '(bus)', 'a/x=1 retained', '(live)', 'a/x=2']);
  expect(sink.events.filter((e) => e.event === 'bus').map((e) => e.data.connected)).toEqual([true, false, true]);
});

test('a reader who comes while the broker is away gets the retained values when it is back', async () => {
  const { bus, clock, listen } = given();
  await bus.publish('a/x', '1', { retain: true });
  bus.disconnect();
  const { sink } = await listen(['a/#']);
  expect(sink.story).toEqual(['(bus)']);
  bus.connect();
  await clock.advance(SNAPSHOT_MS);
  expect(sink.story).toEqual(['(bus)', '(bus)', 'a/x=1 retained', '(live)']);
});

test('a viewer may not listen beyond the box', async () => {
  const { join, hub } = given();
  const viewer = rulesOfRole('viewer', EDGE);
  await expect(join(['garden/#'], { rules: viewer })).rejects.toMatchObject({ code: 'not-allowed' });
  await join([`${EDGE}/#`], { rules: viewer });
  expect(hub.readers).toBe(1);
});

test('topics that are denied within an allowed filter are held back', async () => {
  const { bus, listen } = given();
  await bus.publish('a/secret/x', 's', { retain: true });
  await bus.publish('a/open', 'o', { retain: true });
  const { sink } = await listen(['a/#'], { rules: [...admin, { filter: 'a/secret/#', access: 'deny' }] });
  bus.receive('a/secret/x', 's2');
  bus.receive('a/open', 'o2');
  expect(sink.text).not.toContain('secret');
  expect(sink.text).toContain('o2');
});

test('one reader too many is refused, and let in when another left', async () => {
  const { join } = given({ maxReaders: 2 });
  const first = await join(['a/#']);
  await join(['a/#']);
  await expect(join(['a/#'])).rejects.toMatchObject({ code: 'too-many-readers' });
  first.leave();
  await join(['a/#']);
});

test('a quiet stream gets a heartbeat', async () => {
  const { clock, listen } = given({ heartbeatS: 15 });
  const { sink } = await listen(['a/#']);
  await clock.advance(45_000);
  expect(sink.text.match(/^:$/gm)).toHaveLength(3);
});

test('a broker that refuses the filter refuses the reader, and nothing is kept', async () => {
  const { bus, hub, join } = given();
  const refusing: Bus['subscribe'] = async () => Promise.reject(new Error('refused'));
  const { subscribe } = bus;
  bus.subscribe = refusing;
  await expect(join(['a/#'])).rejects.toThrow('refused');
  expect([hub.readers, hub.filters]).toEqual([0, []]);
  bus.subscribe = subscribe;
  await join(['a/#']);
});

test('after stop nothing is left: readers ended, subscriptions and timers gone', async () => {
  const { bus, clock, hub, listen } = given();
  const { sink } = await listen(['a/#', 'b/#']);
  await hub.stop();
  await clock.advance(SNAPSHOT_MS);
  bus.receive('a/x', 'late');
  expect([sink.state, hub.readers, hub.filters, clock.pendingTimers]).toEqual(['ended', 0, [], 0]);
  expect(sink.text).not.toContain('late');
});

test('who left costs nothing more: the filter is given up after the linger', async () => {
  const { clock, hub, listen } = given({ lingerS: 10 });
  const { leave } = await listen(['a/#']);
  leave();
  expect(hub.filters).toEqual(['a/#']);
  await clock.advance(10_000);
  expect(hub.filters).toEqual([]);
});

test('a narrower filter shares the wider subscription', async () => {
  const { bus, hub, listen } = given();
  await listen([`${EDGE}/#`]);
  const { sink } = await listen([`${EDGE}/5/+/$state`]);
  expect(hub.filters).toEqual([`${EDGE}/#`]);
  bus.receive(`${EDGE}/5/lamp/$state`, 'ready');
  bus.receive(`${EDGE}/5/lamp/main/on`, 'true');
  expect(sink.story.slice(2)).toEqual([`${EDGE}/5/lamp/$state=ready`]);
});

test('filters that are only kept for who may come back make room for new ones; when all are in use one more is refused', async () => {
  const { bus, hub, join } = given();
  for (let n = 0; n < MAX_FILTERS + 50; n++) {
    const { leave } = await join([`a/${n}/#`]);
    leave();
  }
  expect(hub.filters).toHaveLength(MAX_FILTERS);
  for (let n = 0; n < MAX_FILTERS / 50; n++) await join(Array.from({ length: 50 }, (_, m) => `b/${n}/${m}`));
  await expect(join(['c/#'])).rejects.toMatchObject({ code: 'too-many-readers' });
  const { sink } = await join(['b/0/0']);
  bus.receive('b/0/0', 'still heard');
  expect([hub.filters.length, hub.counters.messages, sink.state]).toEqual([MAX_FILTERS, 1, 'open']);
});

test('the broker is asked for the retained values of some filters at a time, and for all in the end', async () => {
  const { bus, clock, listen, join } = given();
  await listen(['#']);
  let [now, most] = [0, 0];
  const { subscribe } = bus;
  bus.subscribe = async (...wanted) => {
    now += 1;
    most = Math.max(most, now);
    const unsubscribe = await subscribe.apply(bus, wanted);
    return async () => {
      now -= 1;
      await unsubscribe();
    };
  };
  const joined = await Promise.all(Array.from({ length: MAX_AT_ONCE + 50 }, (_, n) => join([`a/${n}`])));
  await clock.advance(SNAPSHOT_MS);
  await clock.advance(SNAPSHOT_MS);
  expect(joined.filter(({ sink }) => sink.story.includes('(live)'))).toHaveLength(MAX_AT_ONCE + 50);
  expect([now, most]).toEqual([0, MAX_AT_ONCE]);
});
