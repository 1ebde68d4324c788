import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics } from '@ledge/contract';
import type { ManagedService, ServiceManager } from '@ledge/host';
import { fakeClock, memoryBus, until } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { ServiceRegistry } from './registry.ts';

const EDGE = 'ledge-a1b2c3d4';
const record = (name: string, address = `unix:/nowhere/${name}.sock`) => ({
  name,
  version: '0.1.0',
  summary: name,
  state: 'ready',
  address,
  instance: 'first',
  startedAt: '2026-01-01T00:00:00.000Z',
  tiles: [],
});

async function started(manager?: ServiceManager) {
  const bus = memoryBus();
  const dir = mkdtempSync(join(tmpdir(), 'ledge-registry-'));
  const lost: string[] = [];
  const registry = new ServiceRegistry({
    edge: EDGE,
    bus,
    clock: fakeClock(),
    log: pino({ level: 'silent' }),
    manager,
    defaultSocket: (name) => join(dir, `${name}.sock`),
    ownName: 'server',
    onLost: (name) => lost.push(name),
  });
  await registry.start();
  const say = (name: string, payload: object | string) => bus.receive(topics.service(EDGE, name), payload, { retained: true });
  const stateOf = (name: string) => registry.views().find((view) => view.name === name)?.state;
  return { registry, bus, say, stateOf, lost };
}

test('a service is found where its record says', async () => {
  const { registry, say } = await started();
  say('weather', record('weather'));
  say('remote', record('remote', 'http://10.0.0.9:8000'));
  expect(registry.find('weather')).toMatchObject({ socketPath: '/nowhere/weather.sock' });
  expect(registry.find('remote')).toMatchObject({ hostname: '10.0.0.9', port: 8000 });
  expect(registry.find('other')).toBeUndefined();
  expect(registry.find('../../etc/passwd')).toBeUndefined();
});

test('a service that says it is lost is shown lost at once, and told once', async () => {
  const { say, stateOf, lost } = await started();
  say('weather', record('weather'));
  expect(stateOf('weather')).toBe('ready');
  say('weather', { ...record('weather'), state: 'lost' });
  expect(stateOf('weather')).toBe('lost');
  say('weather', { ...record('weather'), state: 'lost' });
  expect(lost.filter((name) => name === 'weather')).toHaveLength(1);
});

test('records that are broken, or of another name, are left out', async () => {
  const { registry, say } = await started();
  say('weather', '{"name":');
  say('weather', record('device'));
  say('weather', record('weather', 'file:///etc/passwd'));
  expect(registry.knows('weather')).toBe(false);
});

test('a cleared record takes the service off the list', async () => {
  const { say, stateOf } = await started();
  say('weather', record('weather'));
  say('weather', '');
  expect(stateOf('weather')).toBeUndefined();
});

test('the will of a process does not stand over the word of the one that took its place', async () => {
  const { bus, say, stateOf, lost } = await started();
  say('weather', record('weather'));
  const live = (payload: object) => bus.receive(topics.service(EDGE, 'weather'), payload);
  live({ ...record('weather'), instance: 'second' });
  live({ ...record('weather'), state: 'lost' });
  expect(stateOf('weather')).toBe('ready');
  expect(lost).not.toContain('weather');
  live({ ...record('weather'), instance: 'second', state: 'lost' });
  expect(stateOf('weather')).toBe('lost');
});

test("one of somebody's own that stopped in order is gone; where somebody manages it, or it is ours, it is shown", async () => {
  let list: ManagedService[] = [];
  const manager: ServiceManager = {
    list: async () => list,
    start: async () => {},
    stop: async () => {},
    restart: async () => {},
    async *logs() {},
  };
  const { registry, say, stateOf } = await started(manager);
  await registry.poll();
  const disconnected = (name: string) => say(name, { ...record(name), state: 'disconnected' });
  disconnected('weather');
  disconnected('media');
  expect(stateOf('weather')).toBeUndefined();
  expect(registry.names()).not.toContain('weather');
  expect(registry.knows('weather')).toBe(false);
  expect(registry.find('weather')).toBeUndefined();
  expect(stateOf('media')).toBe('disconnected');
  say('weather', record('weather'));
  expect(stateOf('weather')).toBe('ready');

  list = [{ name: 'weather', state: 'stopped', restarts: 0 }];
  disconnected('weather'); // hearing it, the registry asks who manages it
  await until('the supervisor to be asked', () => stateOf('weather') === 'stopped');
});

test("one of somebody's own that is lost can be forgotten, and nothing else", async () => {
  const { registry, bus, say, stateOf } = await started();
  say('weather', { ...record('weather'), state: 'lost' });
  say('media', { ...record('media'), state: 'lost' });
  say('rain', record('rain'));
  await expect(registry.forget('nobody')).rejects.toMatchObject({ code: 'not-found' });
  await expect(registry.forget('media')).rejects.toMatchObject({ code: 'not-supported', message: expect.stringContaining('belongs to') });
  await expect(registry.forget('rain')).rejects.toMatchObject({ code: 'not-supported', message: expect.stringContaining('is ready') });
  await registry.forget('weather');
  expect(stateOf('weather')).toBeUndefined();
  expect(bus.said.at(-1)).toMatchObject({ topic: topics.service(EDGE, 'weather'), payload: '', retain: true });
});

test('services of ours that do not run on this box are not missing, the broker is', async () => {
  const { registry, stateOf } = await started();
  await registry.poll();
  expect(stateOf('media')).toBeUndefined();
  expect(stateOf('broker')).toBe('lost');
  expect(stateOf('server')).toBe('ready');
});

test('what the supervisor runs is listed although it never said a word', async () => {
  const manager: ServiceManager = {
    list: async () => [{ name: 'media', state: 'stopped', restarts: 3 }],
    start: async () => {},
    stop: async () => {},
    restart: async () => {},
    async *logs() {},
  };
  const { registry } = await started(manager);
  await registry.poll();
  expect(registry.views().find((view) => view.name === 'media')).toMatchObject({ state: 'stopped', restarts: 3, controllable: true });
});

test('a flood of names is bounded', async () => {
  const { registry, say } = await started();
  for (let i = 0; i < 1000; i++) say(`s${i}`, record(`s${i}`));
  expect(registry.names()).toHaveLength(200);
});
