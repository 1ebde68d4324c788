import type { HomieDescription } from '@ledge/contract';
import { fakeClock, type MemoryBus, memoryBus } from '@ledge/testing';
import { expect, test } from 'vitest';
import { describe, HomiePublisher } from './homie.ts';
import { silent, thingOf } from './test-tools.ts';

const EDGE = { id: 'ledge-test', name: 'Box' };
const LAMP = thingOf(
  'lamp',
  `name: Lamp
driver: simulated
properties:
  level: { datatype: integer, min: 0, max: 100, step: 5, unit: '%', settable: true }
  mode: { datatype: enum, values: [off, eco] }
  color: { datatype: color }
  pressed: { datatype: boolean, retained: false }
`,
);
const [level, mode, , pressed] = LAMP.properties;

async function begin(bus: MemoryBus = memoryBus(), clock = fakeClock()) {
  const strangers: string[] = [];
  const homie = new HomiePublisher(bus, EDGE, 'system', clock, silent);
  await homie.start((id) => strangers.push(id));
  return { bus, clock, homie, strangers };
}
const settle = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};
const said = (bus: MemoryBus) => bus.said.map((m) => `${m.topic.replace('ledge-test/5/', '')}=${m.payload.slice(0, 20)}`);
const at = (property: string) => ({ thing: 'lamp', node: 'main', property });
const described = (bus: MemoryBus, id: string) => JSON.parse(bus.held.get(`ledge-test/5/${id}/$description`) ?? '{}') as HomieDescription;

test('a description says datatypes, formats, units, and only what differs from the default', () => {
  expect(describe(LAMP, { root: 'system', parent: 'system' })).toMatchObject({
    homie: '5.0',
    name: 'Lamp',
    root: 'system',
    parent: 'system',
    nodes: {
      main: {
        name: 'main',
        properties: {
          level: { name: 'level', datatype: 'integer', format: '0:100:5', unit: '%', settable: true },
          mode: { name: 'mode', datatype: 'enum', format: 'off,eco' },
          color: { name: 'color', datatype: 'color', format: 'rgb,hsv,xyz' },
          pressed: { name: 'pressed', datatype: 'boolean', retained: false },
        },
      },
    },
  });
});

test('the version of a description rises with each change, also when the clock goes back, and only then', async () => {
  const { bus, clock, homie } = await begin();
  const versions: number[] = [];
  for (const [name, room] of [
    ['Lamp', 'Hall'],
    ['Lamp', 'Attic'], // nothing that Homie knows of
    ['Other', 'Attic'],
    ['Lamp', 'Attic'],
  ] as const) {
    homie.put({ ...LAMP, name, room });
    await settle();
    versions.push(described(bus, 'lamp').version);
    clock.setWallClock(0);
  }
  const [first = 0] = versions;
  expect(versions).toEqual([first, first, first + 1, first + 2]);
});

test('a version goes above the one that the broker holds from an earlier run', async () => {
  const bus = memoryBus();
  const held = { ...describe(LAMP, { root: 'system', parent: 'system' }), name: 'Before', version: 4_000_000_000 };
  await bus.publish('ledge-test/5/lamp/$description', held, { retain: true });
  const { homie } = await begin(bus);
  homie.put(LAMP);
  bus.receive('ledge-test/5/lamp/$description', JSON.stringify(held));
  await settle();
  expect(described(bus, 'lamp')).toMatchObject({ name: 'Lamp', version: 4_000_000_001 });
});

test('a new thing is init, then described, then what it is', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  homie.state('lamp', 'ready');
  await settle();
  expect(said(bus).filter((line) => line.startsWith('lamp/'))).toEqual([
    'lamp/$state=init',
    expect.stringMatching(/^lamp\/\$description=/),
    'lamp/$state=ready',
  ]);
  expect(described(bus, 'system').children).toEqual(['lamp']);
});

test('after a connection each thing is said whole, its state last, and the root at the very end', async () => {
  const { bus, homie } = await begin(memoryBus({ connected: false }));
  homie.put(LAMP);
  if (level && mode) {
    homie.value(at('level'), level, 40);
    homie.value(at('mode'), mode, 'eco');
  }
  homie.state('lamp', 'ready');
  bus.connect();
  await settle();
  const lines = said(bus).map((line) => line.replace(/\$description=.*/, '$description'));
  expect(lines).toEqual([
    'lamp/$description',
    'lamp/main/level/$target=40',
    'lamp/main/level=40',
    'lamp/main/mode=eco',
    'lamp/$state=ready',
    'system/$description',
    'system/$state=ready',
  ]);
  expect(bus.said.every((m) => m.retain && m.qos === 1)).toBe(true);
});

test('after each further connection everything is said again', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  if (level) homie.value(at('level'), level, 40);
  await settle();
  bus.disconnect();
  const before = bus.said.length;
  bus.connect();
  await settle();
  expect(said(bus).slice(before)).toContain('lamp/main/level=40');
  expect(said(bus).at(-1)).toBe('system/$state=ready');
});

test('a thing that changed while the broker was away is init before its new description', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  homie.state('lamp', 'ready');
  await settle();
  bus.disconnect();
  homie.put({ ...LAMP, name: 'Other' });
  const before = bus.said.length;
  bus.connect();
  await settle();
  const lines = said(bus)
    .slice(before)
    .filter((line) => line.startsWith('lamp/$'));
  expect(lines).toEqual(['lamp/$state=init', expect.stringMatching(/^lamp\/\$description=/), 'lamp/$state=ready']);
});

test('a happening is said once and not retained, and not at all while the broker is away', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  if (!pressed) throw new Error('no such property');
  homie.value(at('pressed'), pressed, true);
  bus.disconnect();
  homie.value(at('pressed'), pressed, false);
  bus.connect();
  await settle();
  const happenings = bus.said.filter((m) => m.topic.endsWith('/pressed'));
  expect(happenings).toEqual([{ topic: 'ledge-test/5/lamp/main/pressed', payload: 'true', qos: 0, retain: false }]);
});

test('an alert stands until it is ended', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  homie.alert('lamp', 'main-level', 'it does not answer');
  await settle();
  expect(bus.held.get('ledge-test/5/lamp/$alert/main-level')).toBe('it does not answer');
  homie.alert('lamp', 'main-level', undefined);
  await settle();
  expect([...bus.held.keys()].filter((topic) => topic.includes('$alert'))).toEqual([]);
});

test('a thing that is removed leaves nothing behind, its state going first', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  if (level) homie.value(at('level'), level, 40);
  homie.alert('lamp', 'main-level', 'hot');
  await settle();
  const before = bus.said.length;
  homie.remove('lamp');
  await settle();
  expect(said(bus)[before]).toBe('lamp/$state=');
  expect([...bus.held.keys()].filter((topic) => topic.includes('/lamp/'))).toEqual([]);
  expect(described(bus, 'system').children).toEqual([]);
});

test('what a changed thing no longer has is cleared', async () => {
  const { bus, homie } = await begin();
  homie.put(LAMP);
  if (level && mode) {
    homie.value(at('level'), level, 40);
    homie.value(at('mode'), mode, 'eco');
  }
  homie.put({ ...LAMP, properties: LAMP.properties.filter((p) => p !== level) });
  await settle();
  expect([...bus.held.keys()].filter((topic) => topic.includes('/main/'))).toEqual(['ledge-test/5/lamp/main/mode']);
});

test('a thing of an earlier run is cleared; things of others are left alone', async () => {
  const bus = memoryBus();
  const old = JSON.stringify({ ...describe({ ...LAMP, id: 'old' } as typeof LAMP, { root: 'system', parent: 'system' }), version: 1 });
  const media = JSON.stringify({ ...describe(LAMP, { children: [] }), version: 1 });
  for (const [topic, payload] of [
    ['old/$description', old],
    ['old/$state', 'ready'],
    ['old/main/level', '3'],
    ['media/$description', media],
    ['media/$state', 'ready'],
  ] as const) {
    await bus.publish(`ledge-test/5/${topic}`, payload, { retain: true });
  }
  const { strangers } = await begin(bus);
  await settle();
  expect(strangers).toEqual(['old']);
  const left = [...bus.held.keys()].filter((topic) => !topic.includes('/system/'));
  expect(left).toEqual(['ledge-test/5/media/$description', 'ledge-test/5/media/$state']);
});

test('a slow broker costs no memory: behind the value on its way only the newest waits', async () => {
  const bus = memoryBus();
  let answers: (() => void)[] = [];
  const payloads: unknown[] = [];
  const slow = Object.create(bus, {
    publish: {
      value: (topic: string, payload: unknown) =>
        new Promise<void>((resolve) => {
          if (topic.endsWith('/mode')) payloads.push(payload);
          answers.push(resolve);
        }),
    },
  }) as MemoryBus;
  const { homie } = await begin(slow);
  homie.put(LAMP);
  if (!mode) throw new Error('no such property');
  for (let i = 0; i < 1000; i++) homie.value(at('mode'), mode, i % 2 === 0 ? 'off' : `eco`);
  expect(payloads).toEqual(['off']);
  for (let turn = 0; turn < 3; turn++) {
    const ready = answers;
    answers = [];
    for (const answer of ready) answer();
    await settle();
  }
  expect(payloads).toEqual(['off', 'eco']);
});
