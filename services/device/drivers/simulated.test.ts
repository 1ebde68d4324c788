import type { PropertyConfig, Value } from '@ledge/contract';
import { type ContractProperty, contractThing, driverContract, recordingSink } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import { testEnvironment } from '../test-tools.ts';
import { simulated } from './simulated.ts';

const property = (key: string, source: Record<string, unknown>, config: Partial<PropertyConfig> = {}): ContractProperty => ({
  key,
  config: { datatype: 'float', ...config, source },
});

driverContract('simulated', () => ({
  driver: simulated,
  environment: testEnvironment(),
  properties: [
    property('main/sine', {}),
    property('main/lamp', { value: false }, { datatype: 'boolean', settable: true }),
    property('main/mode', { wave: 'walk' }, { datatype: 'enum', values: ['off', 'eco', 'on'] }),
    property('main/color', {}, { datatype: 'color' }),
    property('main/since', { wave: 'counter' }, { datatype: 'datetime' }),
  ],
  settable: { key: 'main/lamp', value: true },
}));

async function opened(source: Record<string, unknown>, config: Partial<PropertyConfig> = {}) {
  const environment = testEnvironment();
  const thing = contractThing({ driver: simulated, environment, properties: [property('main/x', source, config)] });
  const open = await simulated.open(thing, recordingSink(), environment);
  const signal = () => new AbortController().signal;
  const read = async () => (await open.read(['main/x'], signal())).get('main/x');
  const readEvery = async (ms: number, count: number) => {
    const values: (Value | Error | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      values.push(await read());
      await environment.clock.advance(ms);
    }
    return values;
  };
  return { environment, open, read, readEvery, signal };
}

test('a sine goes from its middle to the top, to the bottom and back in a period', async () => {
  const { readEvery } = await opened({ low: 10, high: 30, period: '4s' });
  expect(await readEvery(1000, 5)).toEqual([20, 30, 20, 10, 20]);
});

test('a square is high for half of its period', async () => {
  const { readEvery } = await opened({ wave: 'square', period: '2s' }, { datatype: 'boolean' });
  expect(await readEvery(500, 6)).toEqual([true, true, false, false, true, true]);
});

test('what can be set stands still until it is set, within its limits', async () => {
  const { open, readEvery, signal } = await opened({}, { settable: true, min: 5, max: 30 });
  expect(await readEvery(10_000, 2)).toEqual([5, 5]);
  await open.write('main/x', 21, signal());
  expect(await readEvery(10_000, 2)).toEqual([21, 21]);
});

test('a wave stays within the limits of its property', async () => {
  const { readEvery } = await opened({ period: '4s' }, { min: 5, max: 30 });
  expect(await readEvery(1000, 4)).toEqual([17.5, 30, 17.5, 5]);
});

test('a counter misses no number', async () => {
  const { readEvery } = await opened({ wave: 'counter' }, { datatype: 'integer' });
  expect(await readEvery(1, 4)).toEqual([0, 1, 2, 3]);
});

test('a walk stays between low and high', async () => {
  const { readEvery, environment } = await opened({ wave: 'walk', low: 0, high: 5, step: 3 });
  let turn = 0;
  environment.random = () => [0.99, 0.9, 0.01][turn++ % 3] ?? 0;
  for (const value of await readEvery(1, 50)) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(5);
  }
});

test('each so-many-th reading fails, when that is wanted', async () => {
  const { readEvery } = await opened({ wave: 'constant', low: 7, failEvery: 3 });
  expect((await readEvery(1, 6)).map((v) => (v instanceof Error ? 'failed' : v))).toEqual([7, 7, 'failed', 7, 7, 'failed']);
});

test('a command that is to be refused is refused with its sentence', async () => {
  const { open, signal } = await opened({ value: 0, reject: 'the motor is hot' }, { settable: true });
  await expect(open.write('main/x', 1, signal())).rejects.toMatchObject({ code: 'command-rejected', message: 'the motor is hot' });
});

test('a slow command is acknowledged after its delay, and ends when its time is over', async () => {
  const { open, read, environment, signal } = await opened({ value: 0, delay: '2s' }, { settable: true });
  const slow = open.write('main/x', 1, signal());
  await environment.clock.advance(1999);
  expect(await read()).toBe(0);
  await environment.clock.advance(1);
  expect(await slow).toBe(1);
  expect(await read()).toBe(1);
  const limit = new AbortController();
  const tooSlow = open.write('main/x', 2, limit.signal);
  limit.abort(new Error('time is over'));
  await expect(tooSlow).rejects.toThrow('time is over');
  expect(await read()).toBe(1);
});
