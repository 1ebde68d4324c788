import type { Value } from '@ledge/contract';
import { fakeClock, memoryBus } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Commands, type Outcome } from './commands.ts';
import { HomiePublisher } from './homie.ts';
import { silent, thingOf } from './test-tools.ts';
import type { RunningThing } from './thing.ts';
import type { ThingProperty } from './things/load.ts';

const CONFIG = thingOf(
  'lamp',
  `driver: simulated
properties:
  level: { datatype: integer, min: 0, max: 100, settable: true }
  power: { datatype: float }
`,
);
const LEVEL = { thing: 'lamp', node: 'main', property: 'level' };

async function begin(write: (value: Value, signal: AbortSignal) => Promise<Value>) {
  const clock = fakeClock();
  const bus = memoryBus();
  const homie = new HomiePublisher(bus, { id: 'e', name: 'e' }, 'system', clock, silent);
  await homie.start(() => {});
  homie.put(CONFIG);
  const outcomes: Outcome[] = [];
  let level: Value = 10;
  const thing = {
    config: CONFIG,
    property: (key: string) => CONFIG.properties.find((p) => p.key === key),
    value: () => level,
    write: async (_key: string, value: Value, signal: AbortSignal) => {
      level = await write(value, signal);
      return level;
    },
  } as unknown as RunningThing;
  const commands = new Commands({
    clock,
    log: silent,
    homie,
    thing: (id) => (id === 'lamp' ? thing : undefined),
    timeoutMs: () => 1000,
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  const target = () => bus.held.get('e/5/lamp/main/level/$target');
  const reads = (value: Value) => homie.value(LEVEL, CONFIG.properties[0] as ThingProperty, value);
  return { clock, commands, outcomes, target, reads };
}

test('a command is acknowledged with the value that the thing has then', async () => {
  const { commands, outcomes, target } = await begin(async (value) => Number(value) - 1);
  expect(await commands.run(LEVEL, '50', 'ada')).toBe(49);
  expect(outcomes).toEqual(['acknowledged']);
  expect(target()).toBe('49');
});

test('the target is the very payload of the command, whatever the thing reads on its way there', async () => {
  const arrival = Promise.withResolvers<Value>();
  const { commands, target, reads } = await begin(() => arrival.promise);
  const ended = commands.run(LEVEL, '050', 'ada');
  await Promise.resolve();
  await Promise.resolve();
  expect(target()).toBe('050');
  reads(20);
  expect(target()).toBe('050');
  arrival.resolve(50);
  await ended;
  reads(50);
  expect(target()).toBe('050');
  reads(20); // by hand
  await Promise.resolve();
  expect(target()).toBe('20');
});

test.each([
  ['not-settable', { ...LEVEL, property: 'power' }, '1', 'lamp/main/power is measured; it cannot be set'],
  ['not-found', { ...LEVEL, property: 'none' }, '1', 'There is no property lamp/main/none'],
  ['not-found', { ...LEVEL, thing: 'none' }, '1', 'There is no property none/main/level'],
  ['invalid-value', LEVEL, '101', 'value is "101"; 100 or less is wanted'],
  ['invalid-value', LEVEL, 'much', 'value is "much"; a whole number such as 42 is wanted'],
])('is %s without asking the thing', async (code, address, payload, message) => {
  const { commands, outcomes, target } = await begin(() => Promise.reject(new Error('never asked')));
  await expect(commands.run(address, payload, 'ada')).rejects.toMatchObject({ code, message });
  expect(outcomes).toEqual(['rejected']);
  expect(target()).toBeUndefined();
});

test('a command that the thing refuses is rejected, and nothing is intended any more', async () => {
  const { commands, outcomes, target } = await begin(() => Promise.reject(new Error('the motor is hot')));
  await expect(commands.run(LEVEL, '50', 'ada')).rejects.toMatchObject({ code: 'command-rejected', message: 'the motor is hot' });
  expect(outcomes).toEqual(['rejected']);
  expect(target()).toBe('10');
});

test('a command without an answer times out, even where the driver does not listen to the signal', async () => {
  const { clock, commands, outcomes } = await begin(() => new Promise(() => {}));
  const ended = commands.run(LEVEL, '50', 'ada').catch((error: unknown) => error);
  await clock.advance(999);
  expect(outcomes).toEqual([]);
  await clock.advance(1);
  expect(await ended).toMatchObject({ code: 'command-timed-out' });
  expect(outcomes).toEqual(['timed-out']);
  expect(clock.pendingTimers).toBe(0);
});

test('an answer that comes too late does not end the command a second time', async () => {
  let answer: ((value: Value) => void) | undefined;
  const { clock, commands, outcomes } = await begin(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const ended = commands.run(LEVEL, '50', 'ada').catch(() => {});
  await clock.advance(1000);
  answer?.(50);
  await ended;
  expect(outcomes).toEqual(['timed-out']);
});

test('commands for one property go one after the other, and not without end', async () => {
  const written: Value[] = [];
  const answers: (() => void)[] = [];
  const { clock, commands } = await begin(
    (value) =>
      new Promise((resolve) => {
        written.push(value);
        answers.push(() => resolve(value));
      }),
  );
  const all = Array.from({ length: 17 }, (_, i) => commands.run(LEVEL, String(i), 'ada').catch((error: Error) => error.message));
  await clock.advance(0);
  expect(written).toEqual([0]);
  for (let i = 0; i < 16; i++) {
    answers[i]?.();
    await clock.advance(0);
  }
  expect(written).toEqual(Array.from({ length: 16 }, (_, i) => i));
  expect(await all[16]).toBe('lamp/main/level: 16 commands wait already');
});
