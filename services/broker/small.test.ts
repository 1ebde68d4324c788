import type { BrokerClient } from '@ledge/contract';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { ClientList } from './clients.ts';
import { Loads, Traffic } from './counters.ts';
import { Seldom, TokenBucket } from './limits.ts';

test('a bucket lets so many through per second, and as many at once after a rest', async () => {
  const clock = fakeClock();
  const bucket = new TokenBucket(clock);
  const drain = () => {
    let taken = 0;
    for (; bucket.ready(100); taken++) bucket.take();
    return taken;
  };
  expect(drain()).toBe(100);
  await clock.advance(100);
  expect(drain()).toBe(10);
  await clock.advance(60_000);
  expect(drain()).toBe(100);
  expect(bucket.ready(0)).toBe(true);
});

test('the same is said once per period, with how many were kept back', async () => {
  const clock = fakeClock();
  const seldom = new Seldom(clock, 1000, 50);
  expect([seldom.ask('a'), seldom.ask('a'), seldom.ask('a'), seldom.ask('b')]).toEqual([0, undefined, undefined, 0]);
  await clock.advance(1000);
  expect(seldom.ask('a')).toBe(2);
});

test('a flood of different things is said so many times per period, and what was kept back is told with the next', async () => {
  const clock = fakeClock();
  const seldom = new Seldom(clock, 1000, 3);
  const said = Array.from({ length: 100 }, (_, n) => seldom.ask(`made up ${n}`)).filter((kept) => kept !== undefined);
  expect(said).toEqual([0, 0, 0]);
  await clock.advance(1000);
  expect([seldom.ask('made up 200'), seldom.ask('made up 201')]).toEqual([97, 0]);
});

test('loads approach the rate per minute as mosquitto lets them', async () => {
  const clock = fakeClock();
  const traffic = new Traffic();
  const loads = new Loads(traffic, clock);
  for (let n = 0; n < 60; n++) {
    traffic.messagesReceived += 100;
    await clock.advance(10_000);
    loads.update();
  }
  const load = Object.fromEntries(loads.entries());
  expect(load['load/messages/received/1min']).toBeCloseTo(600, 0);
  expect(load['load/messages/received/15min']).toBeCloseTo(600 * (1 - Math.exp(-10 / 15)), 0);
});

const client = (id: string, changes: Partial<BrokerClient> = {}): BrokerClient => ({
  client: id,
  transport: 'tcp',
  connected: true,
  since: '2026-01-01T00:00:00.000Z',
  subscriptions: 0,
  queuedMessages: 0,
  queuedBytes: 0,
  received: 0,
  sent: 0,
  dropped: 0,
  ...changes,
});

test('the list has who is connected, who has left and why, and forgets the oldest', () => {
  const list = new ClientList(fakeClock());
  list.left(client('again'), 'closed the connection');
  list.left(client('session', { user: 'anna' }), 'said goodbye');
  const now = [client('again'), client('session', { connected: false, queuedMessages: 3 })];
  list.left(client('gone'), 'was silent');
  expect(list.list(now)).toMatchObject([
    { client: 'again', connected: true, lastLeft: { reason: 'closed the connection' } },
    { client: 'session', connected: false, user: 'anna', queuedMessages: 3, lastLeft: { reason: 'said goodbye' } },
    { client: 'gone', connected: false, lastLeft: { reason: 'was silent', time: '2026-01-01T00:00:00.000Z' } },
  ]);
  for (let n = 0; n < 500; n++) list.left(client(`c${n}`), 'x');
  expect(list.list([]).some(({ client: id }) => id === 'gone')).toBe(false);
});
