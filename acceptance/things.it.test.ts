import type { ThingView } from '@ledge/contract';
import { findProgram, until } from '@ledge/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_PASSWORD, type Appliance, slowness, startAppliance } from './appliance.ts';
import { MosquittoSub } from './mosquitto-client.ts';

let ledge: Appliance;
let browser: Browser;
let page: Page;
let sub: MosquittoSub;
const admin = { name: 'watcher', password: 'watching-you' };

const greenhouse = (extra = '') => `name: Greenhouse
driver: simulated
sample: { every: 100ms }
properties:
  temperature: { datatype: float, unit: °C, source: { wave: sine, low: 15, high: 25, period: 5s } }
  fan: { datatype: boolean, settable: true }
${extra}`;

beforeAll(async () => {
  ledge = await startAppliance();
  await ledge.addMqttUser(admin.name, admin.password, [{ filter: '#', access: 'both' }]);
  sub = new MosquittoSub(ledge, `${ledge.edge}/#`, admin);
  await until('the subscription', () => sub.lines.length > 0);
  const executablePath = findProgram('chromium') ?? findProgram('google-chrome');
  if (!executablePath) throw new Error('chromium is not installed');
  browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  page = await browser.newPage();
  await page.goto(ledge.url);
  await page
    .getByLabel(/password/i)
    .first()
    .fill(ADMIN_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText(/load/i).first().waitFor();
});
afterAll(async () => {
  await browser?.close();
  await sub?.stop();
  await ledge?.stop();
});

test('a thing dropped as a file is on the bus and on the page in under a second', async () => {
  const droppedMs = await ledge.dropThing('greenhouse.yaml', greenhouse());
  const topic = `${ledge.edge}/5/greenhouse/main/temperature`;
  const [onBus] = await Promise.all([
    until('the bus', () => sub.lines.find((line) => line.topic === topic)?.atMs),
    page.getByText('Greenhouse').first().waitFor(),
  ]);
  const onPageMs = performance.now() - droppedMs;
  console.log(`dropped file → mosquitto_sub ${Math.round(onBus - droppedMs)} ms, → page ${Math.round(onPageMs)} ms`);
  expect(onBus - droppedMs).toBeLessThan(1000 * slowness);
  expect(onPageMs).toBeLessThan(1000 * slowness);
});

test('a broken file leaves the old thing running and names file, line and key', async () => {
  await ledge.dropThing('greenhouse.yaml', greenhouse('  humidity: { datatype: percent }\n'));
  const event = await until('the event', () => sub.lines.find((line) => line.topic === `${ledge.edge}/event/thing-invalid`)?.payload);
  const told = JSON.parse(event) as { file: string; line: number; key: string; message: string };
  expect(told).toMatchObject({ file: expect.stringContaining('greenhouse.yaml'), line: 7, key: expect.stringContaining('humidity') });
  const count = sub.lines.length;
  await until('values to go on', () => sub.lines.slice(count).some((line) => line.topic.endsWith('/greenhouse/main/temperature')));
  const { body } = await ledge.api<ThingView>('GET', '/api/device/things/greenhouse');
  expect(body).toMatchObject({ state: 'ready', fault: expect.stringContaining('humidity') });
});

test('the switch on the page works and the bus agrees', async () => {
  await ledge.dropThing('greenhouse.yaml', greenhouse());
  await until('the mended file', async () => (await ledge.api<ThingView>('GET', '/api/device/things/greenhouse')).body.fault === null);
  await page.getByRole('switch', { name: /fan/i }).click();
  await until('the state', () => sub.payloads(`${ledge.edge}/5/greenhouse/main/fan`).at(-1) === 'true');
  const { status, body } = await ledge.api<{ outcome: string }>('PUT', '/api/device/things/greenhouse/main/fan', { value: false });
  expect([status, body.outcome]).toEqual([200, 'acknowledged']);
  await until('the page', async () => (await page.getByRole('switch', { name: /fan/i }).getAttribute('aria-checked')) === 'false');
  expect((await ledge.api('PUT', '/api/device/things/greenhouse/main/fan', { value: 'maybe' })).status).toBe(400);
});

test('a removed file takes the thing away everywhere', async () => {
  expect((await ledge.api('DELETE', '/api/device/things/greenhouse')).status).toBe(204);
  await until('the page', async () => (await page.getByText('Greenhouse').count()) === 0);
  await until('the cleared description', () => sub.payloads(`${ledge.edge}/5/greenhouse/$description`).at(-1) === '');
});
