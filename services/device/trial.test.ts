import type { TrialReading } from '@ledge/contract';
import type { Driver } from '@ledge/sdk';
import { memoryBus } from '@ledge/testing';
import { expect, test } from 'vitest';
import { button, lamp, pi4 } from './drivers/gpio-worlds.ts';
import { builtInDrivers } from './drivers/index.ts';
import { serialDriver } from './drivers/serial.ts';
import { Scheduler } from './scheduler.ts';
import { silent, testEnvironment, thingOf } from './test-tools.ts';
import { RunningThing, type ThingListener } from './thing.ts';
import type { ThingConfig } from './things/load.ts';
import { tryOut } from './trial.ts';

type World = ReturnType<typeof testEnvironment>;
const never = new AbortController().signal;
const quiet: ThingListener = { said() {}, faulted() {}, recovered() {}, state() {}, opened() {} };

/** Begins a trial, moves the clock, and waits for its end. */
async function trial(config: ThingConfig, environment: World, { running, passMs = 0 }: { running?: RunningThing; passMs?: number } = {}) {
  const outcome = tryOut(config, { environment, running, withinMs: 5000, signal: never });
  await environment.clock.advance(passMs);
  return await outcome;
}

/** A thing of the same world that runs. */
async function run(config: ThingConfig, environment: World): Promise<RunningThing> {
  const { clock } = environment;
  const scheduler = new Scheduler(clock, () => {});
  const thing = new RunningThing(config, { clock, log: silent, scheduler, environment, readTimeoutMs: () => 5000, listener: quiet });
  thing.start();
  await expect.poll(() => thing.state).toBe('ready');
  return thing;
}

const outcomes = (readings: TrialReading[]) => readings.map(({ property, value, fault }) => [property, value ?? fault]);
const named = (driver: unknown): ReadonlyMap<string, Driver> => new Map([[(driver as Driver).name, driver as Driver]]);
const pins = (properties: object, driver: unknown) => thingOf('gate', JSON.stringify({ driver: 'gpio', properties }), named(driver));

test('each property is read once, with scale, limits and unit; one that fails does not take the others with it', async () => {
  const world = testEnvironment();
  const config = thingOf(
    'tank',
    `driver: simulated
properties:
  level: { name: Level, datatype: float, unit: '%', scale: 2, source: { wave: constant, low: 21 } }
  hot: { datatype: float, max: 10, source: { wave: constant, low: 21 } }
  broken: { datatype: float, source: { failEvery: 1 } }
`,
  );
  expect(await trial(config, world)).toEqual([
    { node: 'main', property: 'level', name: 'Level', unit: '%', value: 42, fault: null, tookMs: 0 },
    { node: 'main', property: 'hot', name: 'hot', value: null, fault: 'it reads 21; 10 or less is believed', tookMs: 0 },
    { node: 'main', property: 'broken', name: 'broken', value: null, fault: 'it fails at each reading number 1', tookMs: 0 },
  ]);
  expect(world.clock.pendingTimers).toBe(0);
});

test('a sensor that hangs is a fault when time is over', async () => {
  const world = testEnvironment();
  const config = thingOf('tank', 'driver: simulated\nproperties: { t: { datatype: float, source: { hangEvery: 1 } } }\n');
  expect(await trial(config, world, { passMs: 5000 })).toMatchObject([
    { value: null, fault: 'it did not answer within 5 s', tookMs: 5000 },
  ]);
  expect(world.clock.pendingTimers).toBe(0);
});

test('a driver that cannot be opened, or not in time, is the fault of each property; one that opens late is closed', async () => {
  const world = testEnvironment();
  const yaml = 'driver: w1\nproperties: { t: { datatype: float } }\n';
  expect(outcomes(await trial(thingOf('boiler', yaml), world))).toEqual([['t', expect.stringContaining('no 1-Wire bus')]]);

  const late = Promise.withResolvers<void>();
  let closed = false;
  const slow: Driver = {
    ...(builtInDrivers.get('w1') as Driver),
    async open() {
      await late.promise;
      const close = async () => {
        closed = true;
      };
      return { polled: new Set(), read: async () => new Map(), write: async (_, value) => value, close };
    },
  };
  const readings = await trial(thingOf('boiler', yaml, named(slow)), world, { passMs: 5000 });
  expect(outcomes(readings)).toEqual([['t', 'it did not answer within 5 s']]);
  late.resolve();
  await expect.poll(() => closed).toBe(true);
});

const plug = (path = 'power') => `driver: mqtt
properties:
  power: { datatype: float, source: { topic: tele/plug, value: ${path} } }
  reset: { datatype: boolean, settable: true, source: { command: { topic: cmnd/plug, optimistic: true } } }
`;

test('a value that comes by itself is waited for, and none that can come is not', async () => {
  const bus = memoryBus();
  const world = testEnvironment({ bus });
  const waiting = tryOut(thingOf('plug', plug()), { environment: world, running: undefined, withinMs: 5000, signal: never });
  await world.clock.advance(1200);
  bus.receive('tele/plug', '{"power":40}');
  expect(await waiting).toMatchObject([
    { property: 'power', value: 40, fault: null, tookMs: 1200 },
    { property: 'reset', value: null, fault: 'it is only set: nothing tells its value' },
  ]);
  expect(outcomes(await trial(thingOf('plug', plug()), world, { passMs: 5000 }))[0]).toEqual([
    'power',
    'no message on topic tele/plug came within 5 s',
  ]);
});

test('whoever leaves ends the trial', async () => {
  const world = testEnvironment();
  const left = new AbortController();
  const outcome = tryOut(thingOf('plug', plug()), { environment: world, running: undefined, withinMs: 5000, signal: left.signal });
  await world.clock.advance(10);
  left.abort(new Error('gone'));
  await outcome;
  expect(world.clock.pendingTimers).toBe(0);
});

test('pins that the running thing holds are told by it, others are opened and given back, and no output moves', async () => {
  const { kernel, env, driver } = await pi4();
  const world = { ...testEnvironment(), ...env } as World;
  kernel.wire.set(529, 0);
  const running = await run(pins({ button, lamp }, driver), world);
  const free = { datatype: 'boolean', source: { bcm: 22 } };
  const relay = { datatype: 'boolean', settable: true, source: { bcm: 5, initial: true } };
  kernel.wire.set(534, 1);
  const held = [...kernel.exported.keys()];

  const readings = await trial(pins({ button, lamp, free, relay }, driver), world, { running });
  expect(outcomes(readings)).toEqual([
    ['button', true],
    ['lamp', false],
    ['free', true],
    ['relay', 'GPIO line 5 of pinctrl-bcm2711 is an output; it is not moved to try it out'],
  ]);
  expect([...kernel.exported.keys()]).toEqual(held);
  expect(running.state).toBe('ready');
  await running.stop();
});

test('a pin that the running thing uses in another way, or that another thing holds, says so', async () => {
  const { env, driver } = await pi4();
  const world = { ...testEnvironment(), ...env } as World;
  const running = await run(pins({ button }, driver), world);
  const other = { ...button, source: { bcm: 17, activeLow: false } };
  const readings = await trial(pins({ other, free: { datatype: 'boolean', source: { bcm: 22 } } }, driver), world, { running });
  expect(outcomes(readings)).toEqual([
    ['other', 'GPIO line 17 of pinctrl-bcm2711 is used by the thing gate already'],
    ['free', false],
  ]);
  await running.stop();
});

test('a serial port is read by one thing only: the running thing tells what it heard, with the new scale', async () => {
  const world = testEnvironment();
  let opened = 0;
  let hear = (_bytes: Uint8Array) => {};
  const driver = serialDriver(
    () => async (_path, _baud, onData) => {
      opened++;
      hear = onData;
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      return { gone, write: async () => {}, close: async () => resolve() };
    },
    'linux',
  );
  const yaml = (more = '', baud = 9600) =>
    `driver: serial\noptions: { path: /dev/ttyX, baud: ${baud}, format: keyvalue }\nproperties: { temp: { datatype: float${more} } }\n`;
  const drivers = named(driver);
  const running = await run(thingOf('green', yaml(), drivers), world);
  hear(Buffer.from('temp=20\n'));
  expect(outcomes(await trial(thingOf('green', yaml(', offset: 1'), drivers), world, { running }))).toEqual([['temp', 21]]);
  expect(outcomes(await trial(thingOf('green', yaml('', 1200), drivers), world, { running }))).toEqual([
    ['temp', '/dev/ttyX is used by the thing green already'],
  ]);
  expect(opened).toBe(1);

  await running.stop();
  const waiting = tryOut(thingOf('green', yaml(), drivers), { environment: world, running: undefined, withinMs: 5000, signal: never });
  await expect.poll(() => opened).toBe(2);
  await world.clock.advance(5000);
  expect(outcomes(await waiting)).toEqual([['temp', 'no line with temp (keyvalue) from /dev/ttyX came within 5 s']]);
  const again = await run(thingOf('green', yaml(), drivers), world);
  expect(opened).toBe(3);
  await again.stop();
});
