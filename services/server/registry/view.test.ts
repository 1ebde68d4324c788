import type { ServiceRecord } from '@ledge/contract';
import { expect, test } from 'vitest';
import { type Known, serviceView } from './view.ts';

const record = (state: ServiceRecord['state']): ServiceRecord => ({
  name: 'media',
  version: '0.1.0',
  summary: 'Player',
  state,
  address: 'unix:/run/media.sock',
  instance: 'i',
  startedAt: '2026-01-01T00:00:00.000Z',
  tiles: [],
});
const answers = (state: 'starting' | 'ready' | 'degraded' | 'stopping', detail?: string) => ({ kind: 'answers', state, detail }) as const;
const away = { kind: 'away', why: 'it cannot be reached (ECONNREFUSED)' } as const;
const managed = (state: 'starting' | 'running' | 'stopping' | 'stopped' | 'waiting', lastExit?: string) => ({
  name: 'media',
  state,
  restarts: 2,
  ...(lastExit === undefined ? {} : { lastExit }),
});
const known = (given: Partial<Known>) =>
  serviceView({
    name: 'media',
    record: undefined,
    wellness: undefined,
    managed: undefined,
    controllable: false,
    busConnected: true,
    ...given,
  });

test.each<[string, Partial<Known>, string]>([
  ['answers', { record: record('ready'), wellness: answers('ready') }, 'ready'],
  ['is not well', { record: record('ready'), wellness: answers('degraded', 'no sound') }, 'degraded'],
  ['starts', { wellness: answers('starting') }, 'init'],
  ['is gone by its will, and not asked yet', { record: record('lost') }, 'lost'],
  ['says ready but refuses connections', { record: record('ready'), wellness: away }, 'lost'],
  ['answers although its will was said', { record: record('lost'), wellness: answers('ready') }, 'degraded'],
  [
    'answers, its will was said, and the bus is away here too',
    { record: record('lost'), wellness: answers('ready'), busConnected: false },
    'ready',
  ],
  ['was stopped by hand', { record: record('disconnected'), wellness: away, managed: managed('stopped') }, 'stopped'],
  ['stopped in order', { record: record('disconnected'), wellness: away }, 'disconnected'],
  ['waits to be started again', { record: record('lost'), wellness: away, managed: managed('waiting', 'exit code 1') }, 'lost'],
  ['is being started', { wellness: away, managed: managed('starting') }, 'init'],
])('a service that %s', (_, given, state) => {
  expect(known(given).state).toBe(state);
});

test('why it is lost comes from whoever knows best', () => {
  expect(known({ wellness: away }).detail).toBe('it cannot be reached (ECONNREFUSED)');
  expect(known({ wellness: away, managed: managed('waiting', 'exit code 1') }).detail).toBe('exit code 1');
});

test('a broker that runs while we are not connected to it is not well', () => {
  expect(known({ name: 'broker', wellness: answers('ready'), busConnected: false }).state).toBe('degraded');
});

test('what the supervisor knows is shown', () => {
  const view = known({
    record: record('ready'),
    wellness: answers('ready'),
    controllable: true,
    managed: { ...managed('running'), pid: 42, memoryBytes: 1000 },
  });
  expect(view).toMatchObject({ pid: 42, restarts: 2, memoryBytes: 1000, controllable: true, version: '0.1.0' });
});
