import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KioskState } from '@ledge/contract';
import { until } from '@ledge/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { axeFindings, complaintsOf, launchChromium } from '../../webui/tests/browser.ts';
import { signIn } from '../../webui/tests/real-pages.ts';
import type { Appliance } from '../appliance.ts';
import { startLocalAppliance } from '../local-appliance.ts';
import { SAMPLE_THINGS } from '../sample-things.ts';

const CHOSEN = { title: 'Barn', tiles: ['greenhouse/main/humidity', 'greenhouse/main/temperature', 'living-room/main/lamp'], dark: 'dark' };
const SIZE = { width: 1024, height: 600 };
/** What a page says of itself every 20 s, with some patience. */
const HEARTBEAT_WITHIN_MS = 30_000;
const BACK_WITHIN_MS = 30_000;

let box: Appliance;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  box = await startLocalAppliance({ things: { ...SAMPLE_THINGS } });
  expect((await box.api('PUT', '/api/server/kiosk', CHOSEN)).status).toBe(200);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await box?.stop();
});
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ viewport: SIZE, locale: 'en-GB' });
  page = await context.newPage();
  complaints = complaintsOf(page);
});

/** As the program on the display does it: nothing but an address with the pass in it. */
async function enter(): Promise<void> {
  const pass = readFileSync(join(box.dataDir, 'secrets', 'kiosk-pass'), 'utf8').trim();
  await page.goto(`${box.url}/api/server/kiosk-pass?pass=${pass}`);
  await page.getByRole('heading', { name: CHOSEN.title }).waitFor();
}

const tile = (name: string) => page.getByRole('article').filter({ hasText: name });
const heartbeat = async () => (await box.api<KioskState>('GET', '/api/server/kiosk/state')).body.last;
const change = async (what: string) => {
  const before = await tile(what).textContent();
  await until(`another ${what}`, async () => (await tile(what).textContent()) !== before, BACK_WITHIN_MS);
};

test('the pass of the box leads to the display, which shows what was chosen, live, and says that it is well', async () => {
  await enter();
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/kiosk');
  await expect
    .poll(() => page.getByRole('article').allTextContents())
    .toEqual([
      expect.stringMatching(/Greenhouse.*Humidity.*%/),
      expect.stringMatching(/Greenhouse.*Temperature.*°C/),
      expect.stringMatching(/Living room.*Lamp.*Off/i),
    ]);
  const filled = await page.getByRole('main').evaluate((main) => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { overPx: Math.max(scrollWidth - innerWidth, scrollHeight - innerHeight), heightPx: main.clientHeight };
  });
  expect(filled).toEqual({ overPx: 0, heightPx: SIZE.height });
  await change('Temperature');
  const last = await until('a heartbeat', heartbeat, HEARTBEAT_WITHIN_MS);
  expect(last).toMatchObject({ page: '/kiosk', online: true });
  expect(last.drawnAgoMs).toBeLessThan(10_000);
  const saidMs = performance.now() - last.ageMs;
  const isAnother = async () => performance.now() - ((await heartbeat())?.ageMs ?? 0) > saidMs + 5000;
  await until('another heartbeat', isAnother, HEARTBEAT_WITHIN_MS);
  expect(await axeFindings(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('with another pass nobody gets in', async () => {
  const answer = await page.goto(`${box.url}/api/server/kiosk-pass?pass=not-this-one`);
  expect(answer?.status()).toBe(403);
  expect(await context.cookies()).toEqual([]);
  await page.goto(`${box.url}/kiosk`);
  await page.getByText('This screen is not signed in.').waitFor();
});

test('what the display may look at is all that its cookie opens', async () => {
  await enter();
  const refused = async (method: string, path: string, data?: object) => {
    const answer = await context.request.fetch(box.url + path, { method, ...(data ? { data } : {}), headers: { origin: box.url } });
    expect([answer.status(), ((await answer.json()) as { code: string }).code], `${method} ${path}`).toEqual([403, 'not-allowed']);
  };
  for (const path of ['users', 'tokens', 'sessions', 'audit', 'logs', 'settings', 'machine', 'preferences', 'backup'])
    await refused('GET', `/api/server/${path}`);
  await refused('GET', '/api/broker/users');
  await refused('GET', '/api/device/things/greenhouse/yaml');
  await refused('PUT', '/api/device/things/greenhouse/main/pump', { value: true });
  await refused('DELETE', '/api/device/things/greenhouse');
  await refused('PUT', '/api/server/kiosk', { ...CHOSEN, title: 'Taken' });
  await refused('POST', '/api/sse/publish', { topic: 'garden/pump', value: 'on' });
  await refused('POST', '/api/server/services/media/restart');
  expect((await box.api('GET', '/api/server/kiosk')).body).toEqual(CHOSEN);

  await page.goto(`${box.url}/admin/people`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.getByRole('navigation').count()).toBe(0);
  await signIn(page);
  await page.getByRole('heading', { level: 1, name: 'People' }).waitFor();
});

test('a server that was killed is taken up again by the display itself', async () => {
  await enter();
  await change('Temperature');
  const navigations: string[] = [];
  page.on('framenavigated', (frame) => navigations.push(frame.url()));
  await box.kill('server');
  await page.getByText('Not connected. The values are old.').waitFor({ timeout: BACK_WITHIN_MS });
  await until(
    'all services',
    async () => (await box.api('GET', '/api/server/health').catch(() => undefined))?.status === 200,
    BACK_WITHIN_MS,
  );
  await page.getByText('Not connected. The values are old.').waitFor({ state: 'detached', timeout: BACK_WITHIN_MS });
  await change('Temperature');
  // the server that hears it is another one, and knew of none
  await until('a heartbeat of a live page', async () => (await heartbeat())?.online, HEARTBEAT_WITHIN_MS);
  expect(navigations).toEqual([]);
  expect(complaints).toEqual([]);
});
