import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Message } from './message.ts';
import type { Outgoing } from './session.ts';
import { Store, type StoreSettings } from './store.ts';
import { scratch, silent } from './test-support.ts';

const retained = (topic: string, text: string) => new Message(topic, Buffer.from(text), 1, true, true);
const outgoing = (text: string): Outgoing => {
  const message = new Message('a/b', Buffer.from(text), 1, false, true);
  return { seq: 0, message, qos: 1, id: 0, received: false, retain: false };
};

function open(dir: string, changes: Partial<StoreSettings> = {}) {
  const clock = fakeClock();
  const settings = { retainedWriteIntervalS: 300, queueWriteDelayMs: 1000, ...changes };
  const store = new Store(join(dir, 'sessions.db'), () => settings, clock, silent);
  return { store, clock, contents: store.open() };
}
const texts = (messages: Message[]) => messages.map(({ topic, payload }) => `${topic} ${payload}`).sort();

test('everything comes back: retained messages, sessions with subscriptions and messages, wills', () => {
  using dir = scratch();
  const { store } = open(dir.path);
  store.retain(retained('a', '1'));
  store.retain(retained('b', '2'));
  store.forgetRetained('b');
  store.session('client', 5);
  store.subscribe('client', 'x/#', 1);
  store.subscribe('client', 'y', 2);
  store.unsubscribe('client', 'y');
  store.outgoing('client', outgoing('waits'));
  store.incoming('client', 7);
  store.will({ clientId: 'client', brokerId: 'b', topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: true });
  store.close();
  const { contents, store: next } = open(dir.path);
  expect(texts(contents.retained)).toEqual(['a 1']);
  expect(contents.sessions).toMatchObject([{ id: 'client', leftMs: 5, subscriptions: new Map([['x/#', 1]]), incoming: [7] }]);
  expect(contents.sessions[0]?.outgoing.map(({ message }) => String(message.payload))).toEqual(['waits']);
  expect(contents.wills).toMatchObject([{ clientId: 'client', topic: 'w', retain: true }]);
  next.close();
});

test('clients whose names and filters run together to the same words keep their own subscriptions', () => {
  using dir = scratch();
  const { store } = open(dir.path);
  for (const id of ['a', 'a b']) store.session(id, 5);
  store.subscribe('a', 'b c', 1);
  store.subscribe('a b', 'c', 2);
  store.close();
  const { contents, store: next } = open(dir.path);
  expect(contents.sessions.map(({ id, subscriptions }) => [id, ...subscriptions.keys()])).toEqual([
    ['a', 'b c'],
    ['a b', 'c'],
  ]);
  next.close();
});

test('a retained topic that changes all the time is written once per interval, one that is new at once', async () => {
  using dir = scratch();
  const { store, clock } = open(dir.path);
  for (let second = 0; second < 500; second++) {
    store.retain(retained('hot', String(second)));
    await clock.advance(1000);
  }
  expect(store.rowsWritten).toBe(2);
  store.retain(retained('cold', 'x'));
  await clock.advance(10);
  expect(store.rowsWritten).toBe(3);
  store.close();
  const { contents, store: next } = open(dir.path);
  expect(texts(contents.retained)).toEqual(['cold x', 'hot 499']);
  next.close();
});

test('a message that is acknowledged before its delay is over never touches the disk', async () => {
  using dir = scratch();
  const { store, clock } = open(dir.path);
  const message = outgoing('quick');
  store.outgoing('client', message);
  await clock.advance(500);
  store.done(message);
  await clock.advance(5000);
  expect(store.rowsWritten).toBe(0);
  const slow = outgoing('slow');
  store.outgoing('client', slow);
  await clock.advance(1500);
  store.done(slow);
  await clock.advance(1500);
  expect(store.rowsWritten).toBe(2);
  store.close();
});

test('without a delay its publisher can wait until a message is written', async () => {
  using dir = scratch();
  const { store, clock } = open(dir.path, { queueWriteDelayMs: 0 });
  expect(store.outgoing('client', outgoing('now'))).toBe(true);
  let written = false;
  const waiting = store.written().then(() => {
    written = true;
  });
  expect(written).toBe(false);
  await clock.advance(10);
  await waiting;
  expect(store.rowsWritten).toBe(1);
  store.close();
});

test('a session that is forgotten leaves nothing, also of what was not written yet', async () => {
  using dir = scratch();
  const { store, clock } = open(dir.path);
  store.session('client', 0);
  store.subscribe('client', 'a', 1);
  const written = outgoing('written');
  store.outgoing('client', written);
  await clock.advance(2000);
  const fresh = outgoing('fresh');
  store.outgoing('client', fresh);
  store.forget('client', [written, fresh]);
  store.close();
  const { contents, store: next } = open(dir.path);
  expect(contents.sessions).toEqual([]);
  next.close();
});

test('a damaged file is moved aside and a new one made', () => {
  using dir = scratch();
  writeFileSync(join(dir.path, 'sessions.db'), Buffer.alloc(10_000, 'rubbish'));
  const { store, contents } = open(dir.path);
  expect(contents).toEqual({ retained: [], sessions: [], wills: [] });
  store.retain(retained('a', '1'));
  store.close();
  expect(readdirSync(dir.path).filter((file) => file.includes('.damaged-'))).toHaveLength(1);
  const next = open(dir.path);
  expect(texts(next.contents.retained)).toEqual(['a 1']);
  next.store.close();
});

test('when no file can be made the store works in memory', () => {
  using dir = scratch();
  mkdirSync(join(dir.path, 'file'));
  writeFileSync(join(dir.path, 'file', 'inner'), '');
  const { store, contents } = open(join(dir.path, 'file', 'inner'));
  expect(contents.retained).toEqual([]);
  store.retain(retained('a', '1'));
  store.close();
});
