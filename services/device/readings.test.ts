import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus, Payload } from '@ledge/kit';
import { fakeClock, memoryBus } from '@ledge/testing';
import { expect, onTestFinished, test } from 'vitest';
import { Outbox } from './outbox.ts';
import { Readings } from './readings.ts';
import { silent } from './test-tools.ts';

const A = { thing: 'sim', node: 'main', property: 'a' };
const TOPIC = 'ledge-test/reading/sim/main/a';

/** A bus whose broker answers only when the test says so. */
function slowBus() {
  const inner = memoryBus();
  const held: { topic: string; payload: Payload; answer: () => void; refuse: (error: Error) => void }[] = [];
  const bus: Bus = {
    ...inner,
    get connected() {
      return inner.connected;
    },
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        held.push({ topic, payload, answer: resolve, refuse: reject });
      }),
  };
  return { inner, bus, held };
}

function begin({
  bus,
  dir = mkdtempSync(join(tmpdir(), 'readings-')),
  maxReadings = 1e6,
}: {
  bus: Bus;
  dir?: string;
  maxReadings?: number;
}) {
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const clock = fakeClock();
  const told: string[] = [];
  const { outbox } = Outbox.open(join(dir, 'outbox.db'), clock.now());
  const readings = new Readings({
    bus,
    edge: 'ledge-test',
    clock,
    log: silent,
    outbox,
    flushMs: 1000,
    maxReadings: () => maxReadings,
    onReplay: (reason) => told.push(reason),
    onReplayed: (count, dropped) => told.push(`${count} said, ${dropped} dropped`),
  });
  readings.start();
  return { clock, outbox, readings, told, dir, add: (value: number) => readings.add(A, value, clock.now()) };
}

const heard = (bus: { said: { topic: string; payload: string }[] }) =>
  bus.said
    .filter((m) => m.topic === TOPIC)
    .map((m) => JSON.parse(m.payload) as { value: number; seq: number; replayed: boolean; time: string });

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test('a reading is said at once, with its number and the time of its measurement', async () => {
  const bus = memoryBus();
  const { add, clock } = begin({ bus });
  add(21.5);
  await clock.advance(0);
  expect(heard(bus)).toEqual([{ value: 21.5, time: '2026-01-01T00:00:00.000Z', seq: 0, replayed: false }]);
  expect(bus.said[0]?.qos).toBe(1);
});

test('what was measured while the broker was away is said later, in order, with its own times', async () => {
  const bus = memoryBus({ connected: false });
  const { add, clock, told, outbox } = begin({ bus });
  for (const i of numbers(500)) {
    add(i);
    await clock.advance(10);
  }
  expect(outbox.size).toBeGreaterThan(400);
  bus.connect();
  await clock.advance(2000);
  const said = heard(bus);
  expect(said.map((r) => r.seq)).toEqual(numbers(500));
  expect(said.map((r) => r.value)).toEqual(numbers(500));
  expect(said[7]?.time).toBe('2026-01-01T00:00:00.070Z');
  expect(said.slice(0, 400).every((r) => r.replayed)).toBe(true);
  expect(outbox.size).toBe(0);
  expect(told.at(-1)).toMatch(/^\d+ said, 0 dropped$/);
});

test('new readings wait behind those that are replayed, so that numbers only go up', async () => {
  const { bus, inner, held } = slowBus();
  inner.disconnect();
  const { add, clock } = begin({ bus });
  for (const i of numbers(100)) add(i);
  await clock.advance(1000);
  inner.connect();
  expect(held).toHaveLength(64); // the window, and no more
  add(100);
  const seqs: number[] = [];
  for (let message = held.shift(); message; message = held.shift()) {
    seqs.push((message.payload as { seq: number }).seq);
    message.answer();
    await clock.advance(held.length > 0 ? 0 : 1000);
  }
  expect(seqs).toEqual(numbers(101));
});

test('a reading counts as said only when the broker acknowledged it; until then it is said again with the same number', async () => {
  const { bus, inner, held } = slowBus();
  const { add, clock, readings } = begin({ bus });
  for (const i of numbers(10)) add(i);
  expect(held).toHaveLength(10);
  for (const message of held.splice(0, 4)) message.answer();
  await clock.advance(0);
  expect(readings.counts.acknowledged).toBe(4);
  const lost = held.splice(0);
  inner.disconnect();
  for (const message of lost) message.refuse(new Error('the broker went away'));
  add(10);
  await clock.advance(1000);
  inner.connect();
  expect(held.map((m) => m.payload)).toMatchObject([4, 5, 6, 7, 8, 9, 10].map((seq) => ({ seq, value: seq, replayed: true })));
});

test('an answer that comes after the connection broke does not count', async () => {
  const { bus, inner, held } = slowBus();
  const { add, clock, readings, outbox } = begin({ bus });
  add(0);
  inner.disconnect();
  held.splice(0)[0]?.answer();
  await clock.advance(0);
  expect(readings.counts.acknowledged).toBe(0);
  expect(outbox.size).toBe(1);
});

test('a message that the broker does not take is tried again at the next beat, and stays in order', async () => {
  const bus = memoryBus();
  const { add, clock } = begin({ bus });
  bus.failPublish(new Error('quota exceeded'));
  for (const i of numbers(5)) add(i);
  await clock.advance(10);
  bus.failPublish(undefined);
  await clock.advance(2000);
  expect(heard(bus).map((r) => r.seq)).toEqual(numbers(5));
});

test('at a power cut only what was not flushed yet is lost, and the loss is a hole', async () => {
  const bus = memoryBus({ connected: false });
  const crashed = begin({ bus });
  for (const i of numbers(20)) crashed.add(i);
  await crashed.clock.advance(1000);
  for (const i of numbers(5)) crashed.add(100 + i); // within the second
  const again = begin({ bus: memoryBus(), dir: crashed.dir });
  const after = memoryBus();
  const { add, clock } = begin({ bus: after, dir: again.dir });
  add(1);
  await clock.advance(2000);
  const seqs = heard(after).map((r) => r.seq);
  expect(seqs.slice(0, 20)).toEqual(numbers(20));
  expect(seqs[20]).toBeGreaterThan(24);
});

test('an orderly stop loses nothing and leaves no hole', async () => {
  const { bus, inner, held } = slowBus();
  const first = begin({ bus });
  for (const i of numbers(100)) first.add(i);
  held.splice(0, 10).forEach((m) => void m.answer());
  await first.clock.advance(0);
  const stopped = first.readings.stop();
  await first.clock.advance(1000); // the broker does not answer any more
  await stopped;
  inner.disconnect();
  const after = memoryBus();
  const second = begin({ bus: after, dir: first.dir });
  second.add(100);
  await second.clock.advance(2000);
  const seqs = heard(after).map((r) => r.seq);
  expect(seqs).toEqual(numbers(101).slice(10));
});

test('the outbox holds to its limit: the oldest go, and are counted', async () => {
  const bus = memoryBus({ connected: false });
  const { add, clock, readings, told } = begin({ bus, maxReadings: 1000 });
  for (const i of numbers(3500)) {
    add(i);
    if (i % 100 === 0) await clock.advance(1000);
  }
  await clock.advance(1000);
  expect(readings.pending).toBe(1000);
  bus.connect();
  await clock.advance(3000);
  expect(heard(bus).map((r) => r.seq)).toEqual(numbers(3500).slice(2500));
  expect(told.at(-1)).toBe('1000 said, 2500 dropped');
});

test('memory stays bounded while the broker is away', async () => {
  const bus = memoryBus({ connected: false });
  const { add, readings, outbox } = begin({ bus });
  for (const i of numbers(5000)) add(i); // no beat in between
  expect(readings.pending - outbox.size).toBeLessThan(1000);
});

test('a disk that fails is told, and readings go on without it', async () => {
  const bus = memoryBus();
  const { add, clock, readings, outbox } = begin({ bus });
  add(0);
  outbox.close();
  for (const i of numbers(20)) add(i + 1);
  await clock.advance(1000);
  expect(heard(bus).map((r) => r.seq)).toEqual(numbers(21));
  bus.disconnect();
  add(21);
  await clock.advance(1000);
  expect(readings.storageFault).toMatch(/outbox could not be written/);
  bus.connect();
  await clock.advance(1000);
  expect(heard(bus).at(-1)).toMatchObject({ seq: 21, value: 21 });
});
