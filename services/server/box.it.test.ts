import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Problem, type ServiceView, topics } from '@ledge/contract';
import type { LogQuery, ManagedService, ServiceManager } from '@ledge/host';
import { expect, test } from 'vitest';
import { eventually, startBox, type TestBox } from './harness.ts';

const HEALTH = JSON.stringify({ state: 'ready', version: '1.0.0', uptimeS: 1 });

async function stateOf(box: TestBox, name: string): Promise<string | undefined> {
  const { services } = (await box.ask('/api/server/health')).json as { services: Record<string, string> };
  return services[name];
}
const becomes = (box: TestBox, name: string, state: string) => eventually(async () => (await stateOf(box, name)) === state);

/** A supervisor that does what it is told, and keeps a list of it. */
function supervisor() {
  const done: string[] = [];
  const services: ManagedService[] = [{ name: 'media', state: 'running', pid: 42, restarts: 3, memoryBytes: 1000, memoryLimitBytes: 2000 }];
  const act = (verb: string) => async (name: string) => {
    if (!services.some((service) => service.name === name)) throw new Problem('not-found', `There is no service ${name}.`);
    done.push(`${verb} ${name}`);
  };
  const manager: ServiceManager = {
    list: async () => services,
    start: act('start'),
    stop: act('stop'),
    restart: act('restart'),
    async *logs({ signal }: LogQuery) {
      const line = { time: '2026-01-01T00:00:00.000Z', service: 'device', level: 30, message: 'pump on', fields: {} };
      yield line;
      yield { ...line, level: 20, message: 'pump detail' };
      yield { ...line, level: 50, service: 'media', message: 'no sound' };
      await once(signal, 'abort');
    },
  };
  return { done, manager };
}

test('a service that answers is ready, one that hangs is lost, and it comes back', async () => {
  await using box = await startBox();
  let hangs = false;
  await box.serve('media', (_incoming, response) => {
    if (!hangs) response.end(HEALTH);
  });
  await becomes(box, 'media', 'ready');
  hangs = true;
  const hungAt = performance.now();
  await becomes(box, 'media', 'lost');
  console.log(`a hung service was seen after ${((performance.now() - hungAt) / 1000).toFixed(1)} s`);
  expect((await box.ask('/api/server/health')).json).toMatchObject({ state: 'degraded', detail: expect.stringContaining('media is lost') });
  hangs = false;
  await becomes(box, 'media', 'ready');
});

test('a will is believed at once', async () => {
  await using box = await startBox();
  const gone = await box.serve('weather', (_incoming, response) => void response.end(HEALTH));
  const address = `unix:${box.data.socketPath('weather')}`;
  await box.announce('weather', address, 'i');
  await becomes(box, 'weather', 'ready');
  gone.closeAllConnections();
  await new Promise((resolve) => gone.close(resolve));
  const record = {
    name: 'weather',
    version: '1.0.0',
    summary: 'w',
    state: 'lost',
    address,
    instance: 'i',
    startedAt: '2026-01-01T00:00:00Z',
    tiles: [],
  };
  const saidAt = performance.now();
  await box.say(topics.service(box.edge, 'weather'), JSON.stringify(record), true);
  await becomes(box, 'weather', 'lost');
  expect(performance.now() - saidAt).toBeLessThan(1000);
});

test('a broker that goes away is lost, and everything else is still reached', async () => {
  await using box = await startBox();
  await box.serve('media', (_incoming, response) => void response.end(HEALTH));
  const broker = await box.serve('broker', (_incoming, response) => void response.end(HEALTH));
  await becomes(box, 'broker', 'ready');
  await becomes(box, 'media', 'ready');
  broker.closeAllConnections();
  await new Promise((resolve) => broker.close(resolve));
  const goneAt = performance.now();
  await box.stopBroker();
  await becomes(box, 'broker', 'lost');
  expect(performance.now() - goneAt).toBeLessThan(2000);
  expect(await stateOf(box, 'media')).toBe('ready');
  expect((await box.ask('/api/media/health')).status).toBe(200);
});

test('services are listed with what their supervisor knows, and obey', async () => {
  const { manager, done } = supervisor();
  await using box = await startBox({}, { manager });
  const cookie = await box.signIn();
  await box.serve('media', (_incoming, response) => void response.end(HEALTH));
  await becomes(box, 'media', 'ready');
  const { json } = await box.ask('/api/server/services', { headers: { cookie } });
  const views = json as unknown as ServiceView[];
  expect(views.find((view) => view.name === 'media')).toMatchObject({
    state: 'ready',
    pid: 42,
    restarts: 3,
    memoryBytes: 1000,
    controllable: true,
  });
  expect(views.find((view) => view.name === 'server')).toMatchObject({ state: 'ready', pid: process.pid, version: '0.1.0' });
  const control = (name: string, verb: string) => box.ask(`/api/server/services/${name}/${verb}`, { method: 'POST', headers: { cookie } });
  expect(await control('media', 'restart')).toMatchObject({ status: 200, json: { name: 'media', state: 'starting' } });
  expect((await control('ghost', 'stop')).json.code).toBe('not-found');
  expect((await control('server', 'stop')).json.code).toBe('not-allowed');
  expect(done).toEqual(['restart media']);
  expect((await box.ask('/api/server/services/media/stop', { method: 'POST' })).status).toBe(401);
});

test('logs come as events, filtered, for as long as the reader is signed in', async () => {
  const { manager } = supervisor();
  await using box = await startBox({}, { manager });
  const cookie = await box.signIn();
  const call = request({
    host: '127.0.0.1',
    port: box.port,
    path: '/api/server/logs?level=info&text=PUMP',
    headers: { cookie },
    agent: false,
  });
  call.on('error', () => {});
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  const [part] = (await once(answer, 'data')) as [Buffer];
  expect(part.toString()).toBe(
    'event: line\ndata: {"time":"2026-01-01T00:00:00.000Z","service":"device","level":30,"message":"pump on","fields":{}}\n\n',
  );
  expect((await box.ask('/api/server/logs')).status).toBe(401);
  const ended = new Promise((resolve) => answer.on('error', resolve).once('close', resolve));
  await box.ask('/api/server/logout', { method: 'POST', headers: { cookie }, body: {} });
  await ended;
});

test('readings on the bus come back as history', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  const thing = { thing: 'greenhouse', node: 'air', property: 'temperature' };
  const time = new Date().toISOString();
  for (const seq of [1, 2, 2, 3]) {
    await box.say(topics.reading(box.edge, thing), JSON.stringify({ value: 20 + seq, time, seq, replayed: false }));
  }
  const path = '/api/server/history/greenhouse/air/temperature';
  await eventually(async () => {
    const { json } = await box.ask(path, { headers: { cookie } });
    return (json.points as { seq: number }[] | undefined)?.map((point) => point.seq).join() === '1,2,3';
  });
  expect((await box.ask('/api/server/history/greenhouse/air/nothing', { headers: { cookie } })).json.code).toBe('not-found');
  const wrong = await box.ask(`${path}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z`, { headers: { cookie } });
  expect(wrong.json.code).toBe('invalid-value');
  expect((await box.ask(path)).status).toBe(401);
});
