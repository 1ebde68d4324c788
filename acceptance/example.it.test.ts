import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { HistoryPoint, ServiceView, ThingView } from '@ledge/contract';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Appliance, SERVICES } from './appliance.ts';
import { startLocalAppliance } from './local-appliance.ts';
import { MosquittoSub } from './mosquitto-client.ts';
import { makeNextMinor } from './next-framework.ts';

const root = join(import.meta.dirname, '..');
const WATCHER = { name: 'watcher', password: 'watching-you' };
const NOT_KEPT = ['ledge', 'dist', 'data', 'node_modules'];
const RIGHT_WITHIN_MS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'ledge-example-'));
/** As its README says to make a project of one's own of it: the framework in `ledge/`, and three files that say so. */
const project = join(folder, 'my-station');
const execute = promisify(execFile);
const framework = join(project, 'ledge');
const dataDir = join(folder, 'data');
let ledge: Appliance;
let sub: MosquittoSub;

async function start(): Promise<void> {
  ledge = await startLocalAppliance({ project, framework, dataDir, keepData: true });
  await until('irrigation to be ready', async () => (await irrigation())?.state === 'ready', RIGHT_WITHIN_MS);
}
async function stop(): Promise<void> {
  await sub?.stop();
  await ledge?.stop();
}

beforeAll(async () => {
  cpSync(join(root, 'examples', 'weather-station'), project, { recursive: true, filter: (path) => !NOT_KEPT.includes(basename(path)) });
  symlinkSync(root, framework);
  for (const file of ['build.sh', 'tsconfig.json', 'docker-compose.yml']) {
    const path = join(project, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('../..', './ledge'));
  }
  await start();
  await ledge.addMqttUser(WATCHER.name, WATCHER.password, [{ filter: '#', access: 'subscribe' }]);
  sub = new MosquittoSub(ledge, `${ledge.edge}/5/#`, WATCHER);
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const irrigation = async (): Promise<ServiceView | undefined> => (await ledge.services()).find(({ name }) => name === 'irrigation');
const status = async () => (await ledge.api<{ value: string; why: string }>('GET', '/api/irrigation/status')).body;
const set = async (path: string, value: unknown) => {
  expect((await ledge.api('PUT', `/api/device/things/${path}`, { value })).status, path).toBe(200);
};
const said = (path: string) => sub.payloads(`${ledge.edge}/5/${path}`);
const valveIs = (state: 'true' | 'false') =>
  until(`the valve to be ${state}`, () => said('valve/main/open').at(-1) === state, RIGHT_WITHIN_MS);

test('its own command checks its types and runs its tests', async () => {
  const { stdout } = await execute('bash', ['build.sh', 'test'], { cwd: project, env: { ...process.env, NO_COLOR: '1' } });
  expect(stdout).toMatch(/^ok +types\nok +tests$/m);
  expect(Number(/Tests +(\d+) passed/.exec(stdout)?.[1])).toBeGreaterThan(30);
});

test('its compose file has a container for each service, ours and its own', () => {
  const { services } = parse(readFileSync(join(project, 'docker-compose.yml'), 'utf8')) as { services: Record<string, { image: string }> };
  expect(Object.keys(services).sort()).toEqual(['irrigation', ...SERVICES].sort());
  for (const { image } of Object.values(services)) expect(image).toMatch(/^weather-station(-media)?:/);
});

test('its service is registered, in the OpenAPI document, and has a tile', async () => {
  expect(await irrigation()).toMatchObject({ version: '1.0.0', tiles: [{ title: 'Irrigation', path: '/status' }] });
  const { body } = await ledge.api<{ paths: object }>('GET', '/api/openapi.json');
  expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/api/irrigation/status', '/api/irrigation/actions/water-now']));
  expect(await status()).toMatchObject({ value: 'resting' });
});

test('its things are live over MQTT, those of its own driver too', async () => {
  for (const path of ['weather/main/temperature', 'weather/main/pressure', 'rain/main/intensity', 'soil/main/moisture', 'valve/main/open'])
    await until(path, () => said(path).length > 0, RIGHT_WITHIN_MS);
  expect((await ledge.api<{ name: string }[]>('GET', '/api/device/drivers')).body).toContainEqual(
    expect.objectContaining({ name: 'rain-gauge' }),
  );
});

test('dry soil starts the irrigation, rain stops it', async () => {
  await set('soil/main/moisture', 20);
  await valveIs('true');
  await set('rain/main/cloudburst', true);
  await valveIs('false');
  expect(await status()).toMatchObject({ value: 'resting', why: expect.stringMatching(/^it rains, [\d.]+ mm\/h$/) });
});

test('its action waters all the same, for as long as it was asked to, after a confirmation', async () => {
  const [action] = (await ledge.api<{ name: string; confirm: string }[]>('GET', '/api/irrigation/actions')).body;
  expect(action).toMatchObject({ name: 'water-now', confirm: expect.stringContaining('whatever the soil and the sky say?') });
  expect(await ledge.api('POST', '/api/irrigation/actions/water-now', { minutes: 0.1 })).toMatchObject({ status: 200 });
  await valveIs('true');
  await valveIs('false');
});

test('its settings begin with what the project says', async () => {
  const { body } = await ledge.api<{ values: object; sources: object }>('GET', '/api/irrigation/settings');
  expect(body).toMatchObject({ values: { longestMin: 15, dryPercent: 30 }, sources: { longestMin: 'project', dryPercent: 'default' } });
});

test('a setting counts at once, and its metric is in the common ones', async () => {
  expect((await ledge.api('PUT', '/api/irrigation/settings', { dryPercent: 101 })).status).toBe(400);
  expect((await ledge.api('PUT', '/api/irrigation/settings', { rainMmPerHour: 10_000, holdS: 0 })).status).toBe(200);
  await valveIs('true');
  const metrics = await until('a second of water', async () => {
    const { body } = await ledge.api<string>('GET', '/metrics');
    return /^irrigation_watering_seconds_total\{service="irrigation"\} [1-9]/m.test(body) && body;
  });
  expect(metrics).toContain('# HELP irrigation_watering_seconds_total');
});

test('service, settings, things and history are kept through an upgrade of the framework by a minor version', async () => {
  await set('rain/main/cloudburst', false);
  await ledge.dropThing('valve.yaml', 'name: Tap\ndriver: simulated\nproperties:\n  open: { datatype: boolean, settable: true }\n');
  await until('the edited thing', async () => (await ledge.api<ThingView>('GET', '/api/device/things/valve')).body.name === 'Tap');
  const before = { edge: ledge.edge, stoppedMs: Date.now() };
  await stop();

  const next = join(folder, 'ledge-next');
  const version = makeNextMinor(next);
  rmSync(framework);
  symlinkSync(next, framework);
  await start();

  const health = (await ledge.api<{ version: string; edge: string }>('GET', '/api/server/health')).body;
  expect(health).toMatchObject({ version, edge: before.edge });
  expect((await ledge.services()).find(({ name }) => name === 'device')).toMatchObject({ version });
  expect(await irrigation()).toMatchObject({ version: '1.0.0', state: 'ready', tiles: [{ title: 'Irrigation', path: '/status' }] });
  const { values } = (await ledge.api<{ values: object }>('GET', '/api/irrigation/settings')).body;
  expect(values).toMatchObject({ rainMmPerHour: 10_000, holdS: 0, dryPercent: 30, longestMin: 15 });
  const things = (await ledge.api<ThingView[]>('GET', '/api/device/things')).body.map(({ id, name, state }) => [id, name, state]);
  for (const [id, name] of [
    ['rain', 'Rain'],
    ['soil', 'Soil'],
    ['valve', 'Tap'],
    ['weather', 'Weather'],
  ])
    expect(things).toContainEqual([id, name, 'ready']);
  const { points } = (await ledge.api<{ points: HistoryPoint[] }>('GET', '/api/server/history/weather/main/temperature')).body;
  expect(points.filter(({ time }) => Date.parse(time) < before.stoppedMs).length).toBeGreaterThan(2);

  // and it still does its work
  sub = new MosquittoSub(ledge, `${ledge.edge}/5/#`, WATCHER);
  await set('soil/main/moisture', 20);
  await valveIs('true');
});
