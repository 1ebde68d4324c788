import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OwnBus } from '@ledge/kit';
import { memoryBus } from '@ledge/testing';
import { expect, onTestFinished, test } from 'vitest';
import { deviceSettings } from './config.ts';
import { DeviceCore } from './core.ts';
import { builtInDrivers } from './drivers/index.ts';
import { silent, testEnvironment } from './test-tools.ts';

async function begin(things: Record<string, string> = {}) {
  const dataRoot = mkdtempSync(join(tmpdir(), 'core-'));
  onTestFinished(() => rmSync(dataRoot, { recursive: true, force: true }));
  mkdirSync(join(dataRoot, 'things'));
  mkdirSync(join(dataRoot, 'device'));
  for (const [id, yaml] of Object.entries(things)) writeFileSync(join(dataRoot, 'things', `${id}.yaml`), yaml);
  const environment = testEnvironment();
  const { clock } = environment;
  const bus = memoryBus({ connected: false });
  const own: OwnBus = Object.assign(Object.create(bus) as typeof bus, {
    start: () => bus.connect(),
    stop: async (farewell: string) => {
      bus.retain('ledge-test/5/system/$state', farewell);
      bus.disconnect();
    },
  });
  const events: { kind: string; payload: unknown }[] = [];
  const core = new DeviceCore({
    edge: { id: 'ledge-test', name: 'Box' },
    dataRoot,
    dataDir: join(dataRoot, 'device'),
    settings: () => deviceSettings.parse({}),
    log: silent,
    clock,
    random: () => 0.5,
    bus: own,
    drivers: builtInDrivers,
    environment,
    emit: (kind, payload) => void events.push({ kind, payload }),
  });
  await core.start();
  const kinds = () => events.map((e) => e.kind);
  return { core, bus, clock, events, kinds, stop: () => core.stop() };
}

const SENSOR = 'driver: simulated\nproperties: { t: { datatype: float, source: { wave: constant, low: 7 } } }\n';

test('a box without thing files has itself as a thing, with real values', async () => {
  const { core, stop } = await begin();
  await expect.poll(() => core.view('system').properties.every((p) => p.value !== null)).toBe(true);
  expect(core.views()).toMatchObject([{ id: 'system', name: 'Box', driver: 'system', state: 'ready', file: null, fault: null }]);
  await stop();
});

test('a file of that name takes the place of the built-in thing, and gives it back when it goes', async () => {
  const { core, stop } = await begin();
  await core.writeFile('system', SENSOR.replace('driver', 'name: Mine\ndriver'));
  expect(core.view('system')).toMatchObject({ name: 'Mine', driver: 'simulated', file: 'system.yaml' });
  await core.removeFile('system');
  expect(core.view('system')).toMatchObject({ name: 'Box', driver: 'system', file: null });
  await stop();
});

test('a value goes from its driver to the bus: as state, retained, and as a numbered reading', async () => {
  const { bus, clock, stop } = await begin({ sensor: SENSOR });
  await clock.advance(10_000);
  expect(bus.held.get('ledge-test/5/sensor/main/t')).toBe('7');
  expect(bus.held.get('ledge-test/5/sensor/$state')).toBe('ready');
  const readings = bus.said.filter((m) => m.topic === 'ledge-test/reading/sensor/main/t');
  expect(readings.map((m) => JSON.parse(m.payload).seq)).toEqual([0, 1, 2]);
  expect(readings.every((m) => !m.retain && m.qos === 1)).toBe(true);
  await stop();
});

test('a property without history is said and not recorded', async () => {
  const { bus, clock, stop } = await begin({ sensor: SENSOR.replace('float,', 'float, history: false,') });
  await clock.advance(10_000);
  expect(bus.held.get('ledge-test/5/sensor/main/t')).toBe('7');
  expect(bus.said.filter((m) => m.topic.includes('/reading/sensor'))).toEqual([]);
  await stop();
});

test('a sensor that fails raises an alert and an event, and takes both back', async () => {
  const { bus, clock, events, stop } = await begin({ sensor: SENSOR.replace('low: 7', 'low: 7, failEvery: 3') });
  await clock.advance(10_000);
  expect(bus.held.get('ledge-test/5/sensor/$alert/main-t')).toBe('it fails at each reading number 3');
  await clock.advance(5000);
  expect(bus.held.has('ledge-test/5/sensor/$alert/main-t')).toBe(false);
  const ofSensor = events.filter((e) => (e.payload as { thing?: string }).thing === 'sensor').map((e) => e.kind);
  expect(ofSensor).toEqual(['thing-added', 'sensor-failed', 'sensor-recovered']);
  await stop();
});

test('a file with a mistake is shown with it, and told once somebody hears; the others run', async () => {
  const { core, events, stop } = await begin({ bad: 'driver: warp\nproperties: { t: { datatype: float } }\n', good: SENSOR });
  expect(core.views().map((view) => [view.id, view.fault?.slice(0, 33) ?? null])).toEqual([
    ['system', null],
    ['bad', 'bad.yaml line 1: driver is "warp"'],
    ['good', null],
  ]);
  expect(events).toContainEqual({ kind: 'thing-invalid', payload: expect.objectContaining({ file: 'bad.yaml', line: 1, key: 'driver' }) });
  await stop();
});

test('a change that is refused leaves file and thing as they were', async () => {
  const { core, stop } = await begin({ sensor: SENSOR });
  await expect(core.writeFile('sensor', SENSOR.replace('constant', 'bent'))).rejects.toMatchObject({ code: 'thing-invalid' });
  expect(await core.readFile('sensor')).toBe(SENSOR);
  expect(core.view('sensor').fault).toBeNull();
  await stop();
});

test('things come, change and go with an event each', async () => {
  const { core, kinds, stop } = await begin();
  await core.writeFile('sensor', SENSOR);
  await core.writeFile('sensor', SENSOR.replace('low: 7', 'low: 8'));
  await core.removeFile('sensor');
  expect(kinds()).toEqual(['thing-added', 'thing-added', 'thing-changed', 'thing-removed']); // the first is the box itself
  await stop();
});

test('a thing that was removed and is written again goes on where it was, with the same numbers', async () => {
  const { core, bus, clock, stop } = await begin({ sensor: SENSOR });
  await clock.advance(10_000);
  const yaml = await core.readFile('sensor');
  await core.removeFile('sensor');
  expect(bus.held.has('ledge-test/5/sensor/$description')).toBe(false);
  await core.writeFile('sensor', yaml);
  await clock.advance(5000);
  expect(core.view('sensor')).toMatchObject({ state: 'ready', fault: null, properties: [{ value: 7 }] });
  expect(bus.held.get('ledge-test/5/sensor/$state')).toBe('ready');
  expect(bus.held.get('ledge-test/5/sensor/main/t')).toBe('7');
  const readings = bus.said.filter((m) => m.topic === 'ledge-test/reading/sensor/main/t');
  const numbers = readings.map((m) => JSON.parse(m.payload).seq as number);
  expect(numbers.length).toBeGreaterThan(3);
  expect(numbers).toEqual(numbers.map((_, i) => i));
  await stop();
});

test('every thing file is listed, with the first mistake; one of a name that is no id can be read and removed', async () => {
  const { core, stop } = await begin({
    bad: 'name: Bad\ndriver: simulated\nproperties: { t: { datatype: flaot } }\n',
    good: SENSOR,
    'Living Room': SENSOR,
  });
  expect(core.files()).toMatchObject([
    { file: 'Living Room.yaml', thing: 'Living Room', fault: { message: expect.stringContaining('living-room') } },
    { file: 'bad.yaml', thing: 'bad', fault: { line: 3, key: 'properties.t.datatype', message: expect.stringContaining('"flaot"') } },
    { file: 'good.yaml', thing: 'good' },
  ]);
  expect(core.files()[2]).not.toHaveProperty('fault');
  expect(await core.readFile('bad')).toContain('flaot');
  expect(await core.readFile('Living Room')).toBe(SENSOR);
  await expect(core.readFile('../ledge')).rejects.toMatchObject({ code: 'invalid-value' });
  await core.removeFile('Living Room');
  await core.writeFile('bad', (await core.readFile('bad')).replace('flaot', 'float'));
  expect(core.files()).toEqual([
    { file: 'bad.yaml', thing: 'bad' },
    { file: 'good.yaml', thing: 'good' },
  ]);
  await stop();
});

test('a thing that is switched off stays in the list, is not ready on the bus, and comes back', async () => {
  const { core, bus, clock, stop } = await begin({ sensor: `# mine\n${SENSOR}` });
  await clock.advance(10_000);
  expect(await core.enable('sensor', false)).toMatchObject({ enabled: false, state: 'disconnected', fault: null });
  expect(await core.readFile('sensor')).toBe(`# mine\n${SENSOR.replace('\n', '\nenabled: false\n')}`);
  await clock.advance(10_000);
  expect(bus.held.get('ledge-test/5/sensor/$state')).toBe('disconnected');
  expect(core.views().map(({ id, enabled }) => [id, enabled])).toEqual([
    ['system', true],
    ['sensor', false],
  ]);
  await core.enable('sensor', true);
  await clock.advance(5000);
  expect(core.view('sensor')).toMatchObject({ enabled: true, state: 'ready', properties: [{ value: 7 }] });
  await expect(core.enable('system', false)).rejects.toMatchObject({ code: 'not-found' });
  await stop();
});

test('trying a file out tells its values or its mistake, and neither saves nor says anything', async () => {
  const { core, bus, events, stop } = await begin({ sensor: SENSOR });
  const said = bus.said.length;
  const told = events.length;
  const signal = new AbortController().signal;
  expect(await core.tryOut('sensor', SENSOR.replace('7', '9'), signal)).toMatchObject([{ property: 't', value: 9, fault: null }]);
  expect(await core.tryOut('new', SENSOR, signal)).toMatchObject([{ value: 7 }]);
  await expect(core.tryOut('sensor', SENSOR.replace('constant', 'bent'), signal)).rejects.toMatchObject({
    code: 'thing-invalid',
    errors: [{ field: 'properties.t.source.wave', line: 2 }],
  });
  expect(bus.said.slice(said).filter(({ topic }) => !topic.includes('/system/'))).toEqual([]);
  expect(events.length).toBe(told);
  expect(await core.readFile('sensor')).toBe(SENSOR);
  expect(core.views().map(({ id }) => id)).toEqual(['system', 'sensor']);
  await stop();
});

test('everything can be read at once, whatever the beat is, and also what rests after a failure', async () => {
  const { core, bus, clock, stop } = await begin({
    slow: SENSOR.replace('driver', 'sample: { every: 1h }\ndriver'),
    ill: SENSOR.replace('low: 7', 'low: 7, failEvery: 1'),
  });
  await clock.advance(0);
  const counted = () => bus.said.filter((m) => m.topic === 'ledge-test/reading/slow/main/t').length;
  const before = counted();
  const { read, failed } = await core.readNow();
  expect(counted()).toBe(before + 1);
  expect(failed).toBe(1);
  expect(read).toBeGreaterThan(1);
  await stop();
});

test('a retained command is not obeyed, a fresh one is', async () => {
  const { bus, clock, stop } = await begin({
    lamp: 'driver: simulated\nproperties: { on: { datatype: boolean, settable: true, source: { value: false } } }\n',
  });
  await clock.advance(0);
  bus.receive('ledge-test/5/lamp/main/on/set', 'true', { retained: true });
  await clock.advance(0);
  expect(bus.held.get('ledge-test/5/lamp/main/on')).toBe('false');
  bus.receive('ledge-test/5/lamp/main/on/set', 'true');
  await clock.advance(0);
  expect(bus.held.get('ledge-test/5/lamp/main/on')).toBe('true');
  await stop();
});

test('clearing an old command is no command, not even for a text', async () => {
  const { bus, clock, stop } = await begin({
    note: 'driver: simulated\nproperties: { text: { datatype: string, settable: true, source: { value: hello } } }\n',
  });
  await clock.advance(0);
  bus.receive('ledge-test/5/note/main/text/set', '');
  await clock.advance(0);
  expect(bus.held.get('ledge-test/5/note/main/text')).toBe('hello');
  bus.receive('ledge-test/5/note/main/text/set', '\0');
  await clock.advance(0);
  expect(bus.held.get('ledge-test/5/note/main/text')).toBe('\0');
  await stop();
});

test('it is well as long as the beat goes on', async () => {
  const { core, clock, stop } = await begin({ sensor: SENSOR });
  await clock.advance(60_000);
  expect(() => core.check()).not.toThrow();
  const stoodStill = clock.monotonic() + 60_000;
  clock.monotonic = () => stoodStill;
  expect(() => core.check()).toThrow(/ms late/);
  await stop();
});

test('after a stop nothing runs and every thing is disconnected', async () => {
  const { bus, clock, stop } = await begin({ sensor: SENSOR });
  await clock.advance(1000);
  await stop();
  expect(clock.pendingTimers).toBe(0);
  expect(bus.held.get('ledge-test/5/sensor/$state')).toBe('disconnected');
  expect(bus.held.get('ledge-test/5/system/$state')).toBe('disconnected');
});
