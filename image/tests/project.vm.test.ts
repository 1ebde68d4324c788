import type { DoctorReport } from '@ledge/contract';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MosquittoSub } from '../../acceptance/mosquitto-client.ts';
import { applianceOf, type BoardAppliance } from './vm/appliance.ts';
import { failedUnits, journalLines } from './vm/ask.ts';
import { startedBox } from './vm/box.ts';
import { built } from './vm/built.ts';
import type { Machine } from './vm/machine.ts';

/** The example project, as `./build.sh image rpi --project examples/weather-station` bakes it. */
const THINGS = ['weather/main/temperature', 'rain/main/intensity', 'soil/main/moisture', 'valve/main/open'];
const SECONDS = 180;
const account = { name: 'watcher', password: 'read-only-please' };
let box: Machine;
let api: BoardAppliance;

beforeAll(async () => {
  box = await startedBox('project', { image: built('projectCard') });
  api = await applianceOf(box);
  await box.sh('systemctl is-system-running --wait || true', { seconds: 300 });
});
afterAll(() => box?.remove());

const irrigation = async () => (await api.services()).find(({ name }) => name === 'irrigation');
const ready = () => until('irrigation to be ready', async () => (await irrigation())?.state === 'ready' && irrigation(), SECONDS * 1000);

test('the service of the project is ready, with its limit, and its tile is in the API', async () => {
  const view = await ready();
  console.log(`irrigation: ${Math.round((view?.memoryBytes ?? 0) / 1e6)} MB of ${Math.round((view?.memoryLimitBytes ?? 0) / 1e6)} MB`);
  expect(view).toMatchObject({
    controllable: true,
    memoryLimitBytes: 128 * 1024 * 1024,
    tiles: [{ title: 'Irrigation', path: '/status' }],
  });
  expect(await api.api('GET', '/api/irrigation/status')).toMatchObject({ status: 200, body: { value: 'resting' } });
  // of the project's ledge.yaml
  expect(await api.api('GET', '/api/irrigation/settings')).toMatchObject({ body: { values: { longestMin: 15 } } });
});

test('the things of the project are on MQTT, its own driver among them', async () => {
  await api.addMqttUser(account.name, account.password, [{ filter: `${api.edge}/5/#`, access: 'subscribe' }]);
  const sub = new MosquittoSub(api, `${api.edge}/5/#`, account);
  try {
    for (const property of THINGS) await until(property, () => sub.payloads(`${api.edge}/5/${property}`).length > 0, SECONDS * 1000);
  } finally {
    await sub.stop();
  }
});

test('rain ends the irrigation, from the driver in the device service to the valve', async () => {
  const set = (path: string, value: unknown) => api.api('PUT', `/api/device/things/${path}`, { value });
  const isOpen = (wanted: boolean) =>
    until(
      `the valve to be ${wanted ? 'open' : 'closed'}`,
      async () => (await api.api<{ value: string }>('GET', '/api/irrigation/status')).body.value === (wanted ? 'watering' : 'resting'),
      SECONDS * 1000,
    );
  expect((await set('soil/main/moisture', 20)).status).toBe(200);
  await isOpen(true);
  expect((await set('rain/main/cloudburst', true)).status).toBe(200);
  await isOpen(false);
  expect(await api.api('GET', '/api/irrigation/status')).toMatchObject({ body: { why: expect.stringMatching(/^it rains, /) } });
});

test('it runs as a user of its own, who writes its own folder and nobody else’s, with a secret of its own', async () => {
  const facts = await box.sh(`stat -c '%U %G %a' /var/lib/ledge/irrigation /var/lib/ledge/secrets/mqtt/irrigation
    ps -o user:20= -p $(systemctl show --value --property=MainPID ledge-irrigation.service)
    systemctl show --value --property=ProtectSystem,PrivateUsers,NoNewPrivileges ledge-irrigation.service`);
  expect(facts.split('\n').map((line) => line.trim())).toEqual([
    ...['ledge-irrigation ledge-irrigation 700', 'ledge-irrigation ledge-broker 640'],
    'ledge-irrigation',
    ...['yes', 'strict', 'yes'],
  ]);
  expect((await box.exec('runuser -u ledge-irrigation -- ls /var/lib/ledge/server')).code).not.toBe(0);
});

test('nothing failed, nothing was denied, and the doctor finds all well', async () => {
  expect(await failedUnits(box)).toEqual([]);
  expect(await journalLines(box, /denied|not permitted|EACCES|EPERM|read-only file system/i, [/kernel: (kvm|hw perfevents)/])).toEqual([]);
  const { checks } = JSON.parse((await box.exec('ledge doctor --json', { seconds: SECONDS })).out) as DoctorReport;
  // an emulated board has no network with a time server
  const bad = checks.filter(({ state, name }) => (state === 'fault' || state === 'warning') && name !== 'clock-synchronised');
  expect(bad).toEqual([]);
  expect(checks.find(({ name }) => name === 'services')?.seen).toMatch(/^6 services run/);
});

test('the box says what it is made of', async () => {
  expect(await box.sh('runuser -u ledge -- ledge version', { seconds: SECONDS })).toMatch(
    /^Ledge .*\nweather-station 1\.0\.0 \([0-9a-f]{7}.*\)$/,
  );
  const status = await box.sh('runuser -u ledge -- ledge status', { seconds: SECONDS });
  console.log(status);
  expect(status).toMatch(/^Project +weather-station 1\.0\.0/m);
  expect(status).toMatch(/^irrigation +ready .* MB of \d+ MB/m);
  expect(status.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
});

test('its service is stopped, started and restarted over the API, and the doctor misses it meanwhile', async () => {
  const act = (verb: string) => api.api('POST', `/api/server/services/irrigation/${verb}`);
  const before = (await irrigation())?.pid;
  expect((await act('restart')).status).toBeLessThan(300);
  await until('another process', async () => ![before, undefined].includes((await irrigation())?.pid), SECONDS * 1000);
  await ready();
  expect((await act('stop')).status).toBeLessThan(300);
  await until('it to be stopped', async () => ['stopped', 'disconnected'].includes((await irrigation())?.state ?? ''), SECONDS * 1000);
  expect((await box.exec('ledge doctor', { seconds: SECONDS })).out).toMatch(/^fault +Services +irrigation is inactive/m);
  expect((await act('start')).status).toBeLessThan(300);
  await ready();
});
