import { type DeviceState, type HomieProperty, topics, type Value } from '@ledge/contract';
import { fakeClock, memoryBus } from '@ledge/testing';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { BusThings, type ValueFacts } from './things.ts';

const EDGE = 'ledge-test';
const at = (property: string) => ({ thing: 'shed', node: 'main', property });

/** A shed as the device service says it. */
function world() {
  const bus = memoryBus();
  const clock = fakeClock();
  const log = pino({ level: 'silent' });
  const stopped = new AbortController();
  const things = new BusThings({ bus, edge: EDGE, clock, log, signal: stopped.signal });
  const hold = { keep: true };
  return {
    bus,
    clock,
    log,
    things,
    stopped,
    describe(properties: Record<string, Omit<HomieProperty, 'name'>>, root?: string) {
      const document = { homie: '5.0', version: 1, ...(root === undefined ? {} : { root }), nodes: { main: { properties } } };
      bus.receive(topics.description(EDGE, 'shed'), document, hold);
    },
    say: (property: string, payload: string) => bus.receive(topics.property(EDGE, at(property)), payload, hold),
    state: (thing: string, state: string) => bus.receive(topics.state(EDGE, thing), state, hold),
  };
}

test.each<[HomieProperty['datatype'], string, Value]>([
  ['float', '21.5', 21.5],
  ['integer', '42', 42],
  ['boolean', 'true', true],
  ['string', '\0', ''],
  ['enum', 'low', 'low'],
  ['datetime', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
])('a watched value of datatype %s, said as %j, is %j', (datatype, payload, value) => {
  const { things, describe, say } = world();
  describe({ level: { datatype, ...(datatype === 'enum' ? { format: 'low,high' } : {}) } });
  const heard: Value[] = [];
  things.watch('shed/main/level', (it) => void heard.push(it));
  say('level', payload);
  expect(heard).toEqual([value]);
});

test('the value that the broker holds comes first, then each that follows, with time, datatype and unit', async () => {
  const { things, clock, describe, say } = world();
  describe({ level: { datatype: 'float', unit: '°C' } });
  say('level', '20');
  const heard: [Value, ValueFacts][] = [];
  things.watch('shed/main/level', (value, facts) => void heard.push([value, facts]));
  await clock.advance(1000);
  say('level', '20');
  const startMs = Date.parse('2026-01-01T00:00:00Z');
  expect(heard).toEqual([
    [20, { timeMs: startMs, retained: true, datatype: 'float', unit: '°C' }],
    [20, { timeMs: startMs + 1000, retained: false, datatype: 'float', unit: '°C' }],
  ]);
});

test('a value waits until the thing has said what it is', () => {
  const { things, describe, say } = world();
  const heard: Value[] = [];
  things.watch('shed/main/open', (value) => void heard.push(value));
  say('open', 'true');
  expect(heard).toEqual([]);
  describe({ open: { datatype: 'boolean' } });
  say('open', 'false');
  expect(heard).toEqual([true, false]);
});

test('what is held is heard once, however often the broker gives it', () => {
  const { bus, things, describe, say } = world();
  describe({ level: { datatype: 'float' } });
  const heard: Value[] = [];
  things.watch('shed/main/level', (value) => void heard.push(value));
  say('level', '20');
  bus.disconnect();
  bus.connect();
  expect(heard).toEqual([20]);
});

test('a value of the wrong kind is left out and logged', () => {
  const { things, log, describe, say } = world();
  describe({ level: { datatype: 'float' } });
  const warned = vi.spyOn(log, 'warn');
  const heard: Value[] = [];
  things.watch('shed/main/level', (value) => void heard.push(value));
  say('level', 'warm');
  say('level', '21');
  expect(heard).toEqual([21]);
  expect(warned).toHaveBeenCalledWith(
    expect.objectContaining({ property: 'shed/main/level', wanted: expect.stringContaining('number') }),
    expect.anything(),
  );
});

test('a listener that fails, now or later, is logged and does not hold up the others', async () => {
  const { things, clock, log, describe, say } = world();
  describe({ level: { datatype: 'float' } });
  const failed = vi.spyOn(log, 'error');
  const heard: Value[] = [];
  things.watch('shed/main/level', () => {
    throw new Error('at once');
  });
  things.watch('shed/main/level', () => Promise.reject(new Error('later')));
  things.watch('shed/main/level', (value) => void heard.push(value));
  say('level', '21');
  await clock.advance(0);
  expect(heard).toEqual([21]);
  expect(failed.mock.calls.map(([facts]) => (facts as { err: Error }).err.message)).toEqual(['at once', 'later']);
});

test('nothing comes after it was ended, or after the service stopped', async () => {
  const { things, clock, describe, say, stopped } = world();
  describe({ level: { datatype: 'float' } });
  const heard: string[] = [];
  const end = things.watch('shed/main/level', () => void heard.push('ended'));
  things.watch('shed/main/level', () => void heard.push('stopped'));
  end();
  say('level', '1');
  stopped.abort();
  say('level', '2');
  await clock.advance(0);
  expect(heard).toEqual(['stopped']);
});

test.each(['level', 'shed/level', 'shed/main/level/set', 'shed/+/level', 'Shed/main/level', 'shed/main/$target'])(
  '%s is no path',
  async (path) => {
    const { things } = world();
    expect(() => things.watch(path, () => {})).toThrow(
      expect.objectContaining({ code: 'invalid-value', message: expect.stringContaining(path) }),
    );
    await expect(things.command(path, 1)).rejects.toMatchObject({ code: 'invalid-value' });
  },
);

test('the state of a thing is told when it changes, and that of its root when that one is lost', () => {
  const { things, describe, state } = world();
  const heard: DeviceState[] = [];
  const end = things.watchState('shed', (it) => void heard.push(it));
  state('shed', 'ready');
  expect(heard).toEqual([]); // its root may be lost
  describe({}, 'system');
  state('system', 'ready');
  state('shed', 'disconnected');
  state('shed', 'ready');
  state('system', 'lost');
  state('system', 'ready');
  state('shed', '');
  end();
  state('shed', 'ready');
  expect(heard).toEqual(['ready', 'disconnected', 'ready', 'lost', 'ready', 'disconnected']);
  expect(() => things.watchState('shed/main', () => {})).toThrow(expect.objectContaining({ code: 'invalid-value' }));
});
