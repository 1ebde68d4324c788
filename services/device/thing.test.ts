import type { DeviceState, Value } from '@ledge/contract';
import { type Driver, type DriverSink, defineDriver, type OpenThing } from '@ledge/sdk';
import { fakeClock } from '@ledge/testing';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Scheduler } from './scheduler.ts';
import { silent, testEnvironment, thingOf } from './test-tools.ts';
import { RunningThing, sameHardware, type ThingListener } from './thing.ts';

/** A driver that does what the test says. */
function scripted() {
  const world = {
    sink: undefined as DriverSink | undefined,
    failOpen: 0,
    opened: 0,
    closed: 0,
    polled: ['main/a', 'main/b'],
    asked: [] as string[][],
    answer: (_key: string, _signal: AbortSignal): Value | Error | Promise<Value> => 1,
    write: async (_key: string, value: Value): Promise<Value> => value,
  };
  const driver = defineDriver({
    name: 'scripted',
    summary: '',
    example: '',
    options: z.record(z.string(), z.unknown()),
    source: z.record(z.string(), z.unknown()),
    unavailable: async () => undefined,
    async open(_thing, sink): Promise<OpenThing> {
      if (world.failOpen-- > 0) throw new Error('unplugged');
      world.opened++;
      world.sink = sink;
      return {
        polled: new Set(world.polled),
        async read(keys, signal) {
          world.asked.push([...keys]);
          const entries = keys.map(async (key): Promise<[string, Value | Error]> => {
            const answer = Promise.resolve(world.answer(key, signal)).catch((error: Error) => error);
            return [key, await answer];
          });
          return new Map(await Promise.all(entries));
        },
        write: (key, value) => world.write(key, value),
        async close() {
          world.closed++;
        },
      };
    },
  });
  return { world, drivers: new Map<string, Driver>([['scripted', driver as unknown as Driver]]) };
}

const YAML = `driver: scripted
sample: { every: 1s }
properties:
  a: { datatype: float, settable: true }
  b: { datatype: float, max: 50 }
`;

function begin(yaml = YAML) {
  const { world, drivers } = scripted();
  const clock = fakeClock();
  const told: string[] = [];
  const states: DeviceState[] = [];
  const listener: ThingListener = {
    said: ({ property }, _p, value) => told.push(`${property}=${value}`),
    faulted: ({ property }, _p, message) => told.push(`${property} failed: ${message}`),
    recovered: ({ property }) => told.push(`${property} recovered`),
    state: (_id, state) => states.push(state),
    opened: () => {},
  };
  const scheduler = new Scheduler(clock, (error) => {
    throw error;
  });
  const environment = testEnvironment({ clock });
  const thing = new RunningThing(thingOf('t', yaml, drivers), {
    clock,
    log: silent,
    scheduler,
    environment,
    readTimeoutMs: () => 500,
    listener,
  });
  thing.start();
  onTestFinished(() => thing.stop());
  return { world, clock, told, states, thing, drivers };
}

test('reads all properties when it opens, and then on the beat, together', async () => {
  const { clock, world, told, states } = begin();
  await clock.advance(0);
  expect(told).toEqual(['a=1', 'b=1']);
  expect(states).toEqual(['ready']);
  await clock.advance(2000);
  expect(world.asked).toEqual([
    ['main/a', 'main/b'],
    ['main/a', 'main/b'],
    ['main/a', 'main/b'],
  ]);
});

test('a sensor that fails is told once, retried with growing pauses, and told when it reads again; others go on', async () => {
  const { clock, world, told, thing } = begin();
  world.answer = (key) => (key === 'main/b' ? new Error('no answer') : 7);
  await clock.advance(60_000);
  const asksOfB = world.asked.filter((keys) => keys.includes('main/b')).length;
  expect(world.asked).toHaveLength(61);
  expect(asksOfB).toBeLessThan(10);
  expect(told.filter((line) => line.startsWith('b'))).toEqual(['b failed: no answer']);
  expect(thing.view().properties[1]).toMatchObject({ fault: 'no answer', value: null });
  expect(thing.faults).toBe(1);
  world.answer = () => 8;
  await clock.advance(61_000);
  expect(told.filter((line) => line.startsWith('b')).slice(0, 3)).toEqual(['b failed: no answer', 'b recovered', 'b=8']);
  expect(thing.faults).toBe(0);
});

test('a value that cannot be believed is a fault and is not said', async () => {
  const { clock, world, told } = begin();
  world.answer = () => 85;
  await clock.advance(0);
  expect(told).toEqual(['a=85', 'b failed: it reads 85; 50 or less is believed']);
});

test('a read that hangs is given up after its time, and the thing goes on', async () => {
  const { clock, world, told } = begin();
  await clock.advance(0);
  let hang = true;
  world.answer = () => (hang ? new Promise(() => {}) : 9);
  await clock.advance(1600);
  await new Promise(setImmediate);
  expect(told).toContain('a failed: it did not answer within 500 ms');
  hang = false;
  await clock.advance(5000);
  expect(told).toContain('a=9');
});

test('a property that hangs fails alone; the others of its thing go on', async () => {
  const { clock, world, told } = begin();
  world.answer = (key, signal) =>
    key === 'main/b' ? new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) : 3;
  await clock.advance(500);
  await new Promise(setImmediate);
  expect(told).toEqual(['a=3', 'b failed: it did not answer within 500 ms']);
});

test('a driver that cannot be opened is tried again and again, with pauses of up to a minute', async () => {
  const { world, drivers } = scripted();
  world.failOpen = 8;
  const clock = fakeClock();
  const states: string[] = [];
  const faults: (string | undefined)[] = [];
  const thing = new RunningThing(thingOf('t', YAML, drivers), {
    clock,
    log: silent,
    scheduler: new Scheduler(clock, () => {}),
    environment: testEnvironment({ clock }),
    readTimeoutMs: () => 500,
    listener: {
      said: () => {},
      faulted: () => {},
      recovered: () => {},
      state: (_id, state) => states.push(state),
      opened: (_id, fault) => faults.push(fault),
    },
  });
  thing.start();
  await clock.advance(1000);
  expect(thing.view()).toMatchObject({ state: 'disconnected', fault: 'unplugged' });
  await expect(thing.write('main/a', 1, AbortSignal.timeout(1000))).rejects.toThrow('t is not connected: unplugged');
  await clock.advance(4 * 60_000);
  expect(thing.view()).toMatchObject({ state: 'ready', fault: null });
  expect(states).toEqual(['disconnected', 'ready']);
  expect(faults.filter((fault) => fault !== undefined)).toHaveLength(8);
  await thing.stop();
});

test('a thing that was stopped says nothing more, even if its driver does', async () => {
  const { clock, world, told, thing } = begin();
  await clock.advance(0);
  await thing.stop();
  const before = told.length;
  world.sink?.value('main/a', 5);
  world.sink?.fault('main/a', new Error('late'));
  await clock.advance(5000);
  expect(told).toHaveLength(before);
  expect(world.closed).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test('an answer that comes after the stop is not said', async () => {
  const { clock, world, told, thing } = begin();
  await clock.advance(0);
  let answer: ((value: Value) => void) | undefined;
  world.answer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  await clock.advance(1000);
  const before = told.length;
  const stopped = thing.stop();
  answer?.(3);
  await stopped;
  await clock.advance(1000);
  expect(told).toHaveLength(before);
});

test('a value that comes by itself is said, and again when it was quiet for as long as its file says', async () => {
  const { clock, world, told } = begin(
    'driver: scripted\nsample: { atLeastEvery: 10s, onChange: true }\nproperties: { a: { datatype: boolean } }\n',
  );
  world.polled.length = 0;
  await clock.advance(0);
  world.sink?.value('main/a', true);
  world.sink?.value('main/a', true);
  expect(told).toEqual(['a=true']);
  await clock.advance(20_000);
  expect(told).toEqual(['a=true', 'a=true', 'a=true']);
});

test('a value set by a command is scaled for the driver, and what the driver says is scaled back', async () => {
  const { clock, world, told, thing } = begin(
    'driver: scripted\nproperties: { a: { datatype: float, settable: true, scale: 0.1, offset: 10 } }\n',
  );
  await clock.advance(0);
  const written: Value[] = [];
  world.write = async (_key, value) => {
    written.push(value);
    return value;
  };
  expect(await thing.write('main/a', 21.5, AbortSignal.timeout(1000))).toBe(21.5);
  expect(written).toEqual([115]);
  expect(told).toEqual(['a=10.1', 'a=21.5']);
});

test('a change that does not concern the hardware closes nothing and loses no sample', async () => {
  const { clock, world, told, thing, drivers } = begin();
  await clock.advance(1500);
  const next = thingOf('t', `name: Renamed\n${YAML.replace('max: 50', 'max: 60')}`, drivers);
  expect(sameHardware(thing.config, next)).toBe(true);
  thing.adopt(next);
  await clock.advance(1500);
  expect(world.opened).toBe(1);
  expect(told).toHaveLength(8);
  expect(thing.view()).toMatchObject({ name: 'Renamed', properties: [{ value: 1 }, { value: 1, format: ':60' }] });
});

test.each([
  ['options', YAML.replace('driver: scripted', 'driver: scripted\noptions: { bus: 2 }')],
  ['a source', YAML.replace('max: 50', 'max: 50, source: { pin: 4 }')],
  ['a property more', `${YAML}  c: { datatype: float }\n`],
])('%s that changed means other hardware', (_, yaml) => {
  const { drivers } = scripted();
  expect(sameHardware(thingOf('t', YAML, drivers), thingOf('t', yaml, drivers))).toBe(false);
});

test('a thing that its file switches off is not opened', async () => {
  const { clock, world, thing } = begin(`enabled: false\n${YAML}`);
  await clock.advance(10_000);
  expect(world.opened).toBe(0);
  expect(thing.view()).toMatchObject({ enabled: false, state: 'disconnected', fault: null });
  expect(thing.faults).toBe(0);
});
