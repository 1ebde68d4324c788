import { type HomieProperty, topics, type Value } from '@ledge/contract';
import { fakeClock, memoryBus } from '@ledge/testing';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { BusThings } from './things.ts';

const EDGE = 'ledge-test';
const FAN = { thing: 'shed', node: 'main', property: 'fan' };
const LEVEL: Omit<HomieProperty, 'name'> = { datatype: 'integer', format: '0:100:5', settable: true };

/** A fan that does `react` when it is told something. */
function fan(
  described: Omit<HomieProperty, 'name'> | undefined,
  react: (say: (topic: string, payload: string, retained?: boolean) => void) => void = () => {},
  signal = new AbortController().signal,
) {
  const bus = memoryBus();
  const clock = fakeClock();
  const things = new BusThings({ bus, edge: EDGE, clock, log: pino({ level: 'silent' }), signal });
  const document = { homie: '5.0', version: 1, nodes: { main: { properties: described ? { fan: described } : {} } } };
  bus.receive(topics.description(EDGE, 'shed'), document, { keep: true });
  const commands: string[] = [];
  void bus.subscribe(topics.set(EDGE, FAN), ({ payload }) => {
    commands.push(payload.toString());
    react((topic, text, retained = false) => bus.receive(topic, text, { retained }));
  });
  return { bus, clock, things, commands };
}
const value = topics.property(EDGE, FAN);
const target = topics.target(EDGE, FAN);
const warning = topics.log(EDGE, 'shed', 'warn');

test.each<[string, Omit<HomieProperty, 'name'>, Value, string]>([
  ['a number rounded to its step', LEVEL, 51, '50'],
  ['a boolean', { datatype: 'boolean', settable: true }, true, 'true'],
  ['an empty text', { datatype: 'string', settable: true }, '', '\0'],
  ['a word', { datatype: 'enum', format: 'off,low', settable: true }, 'low', 'low'],
])('%s is sent as Homie writes it, and acknowledged when the thing says that it is so', async (_what, property, wanted, payload) => {
  const { things, commands } = fan(property, (say) => say(value, payload));
  expect(await things.command('shed/main/fan', wanted)).toBe(wanted === 51 ? 50 : wanted);
  expect(commands).toEqual([payload]);
});

test('a service that is stopping still sets things', async () => {
  const { things, commands } = fan({ datatype: 'boolean', settable: true }, (say) => say(value, 'false'), AbortSignal.abort());
  expect(await things.command('shed/main/fan', false)).toBe(false);
  expect(commands).toEqual(['false']);
});

test('a thing that can only come near acknowledges with the value that it has then', async () => {
  const { things } = fan(LEVEL, (say) => {
    say(target, '100');
    say(value, '20'); // on its way
    say(value, '80');
    say(target, '80');
  });
  expect(await things.command('shed/main/fan', 100)).toBe(80);
});

test('what the thing said before is no answer', async () => {
  const { bus, clock, things } = fan(LEVEL, (say) => say(value, '100', true));
  bus.receive(value, '100', { keep: true });
  const ended = things.command('shed/main/fan', 100).catch((problem: unknown) => problem);
  await clock.advance(10_000);
  expect(await ended).toMatchObject({ code: 'command-timed-out', message: 'shed/main/fan did not become 100 within 10000 ms' });
  expect(clock.pendingTimers).toBe(0);
});

test('a refusal comes with its reason; one of another property is none of ours', async () => {
  const { things } = fan(LEVEL, (say) => {
    say(warning, 'main/lamp was not set: it is broken');
    say(warning, 'main/fan was not set: it is jammed');
  });
  await expect(things.command('shed/main/fan', 100)).rejects.toMatchObject({
    code: 'command-rejected',
    message: 'shed/main/fan was not set: it is jammed',
  });
});

test('a thing that does not answer has timed out, and is said to have what it says', async () => {
  const { clock, things } = fan(LEVEL, (say) => say(value, '20'));
  const ended = things.command('shed/main/fan', 100, { withinMs: 500 }).catch((problem: unknown) => problem);
  await clock.advance(500);
  expect(await ended).toMatchObject({ code: 'command-timed-out', message: 'shed/main/fan did not become 100 within 500 ms; it says 20' });
});

test('of a happening the word of the broker is enough', async () => {
  const { things, commands } = fan({ datatype: 'enum', format: 'next,previous', settable: true, retained: false });
  expect(await things.command('shed/main/fan', 'next')).toBe('next');
  expect(commands).toEqual(['next']);
});

test.each<[string, Omit<HomieProperty, 'name'> | undefined, Value, string]>([
  ['over its limit', LEVEL, 110, 'invalid-value'],
  ['of another kind', LEVEL, 'full', 'invalid-value'],
  ['of a sensor', { datatype: 'integer' }, 5, 'not-settable'],
  ['of a property that is not there', undefined, 5, 'not-found'],
])('a value %s is refused before anything is sent', async (_what, property, wanted, code) => {
  const { clock, things, commands } = fan(property);
  await expect(things.command('shed/main/fan', wanted)).rejects.toMatchObject({ code, message: expect.stringContaining('fan') });
  expect(commands).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test('a thing that nobody says, and a broker that is away, are told', async () => {
  const { bus, clock, things } = fan(LEVEL);
  const ended = things.command('hut/main/fan', 1).catch((problem: unknown) => problem);
  await clock.advance(2000);
  expect(await ended).toMatchObject({ code: 'not-found', message: 'There is no thing hut' });
  bus.disconnect();
  await expect(things.command('shed/main/fan', 1)).rejects.toMatchObject({ code: 'bus-away' });
});
