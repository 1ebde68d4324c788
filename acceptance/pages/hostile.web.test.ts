import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until, wavOfSilence } from '@ledge/testing';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { complaintsOf, launchChromium } from '../../webui/tests/browser.ts';
import type { Appliance } from '../appliance.ts';
import { ADMIN_PASSWORD, startLocalAppliance } from '../local-appliance.ts';

const run = promisify(execFile);
/** Runs if it is ever taken for markup. */
const EVIL = '<img src="/x.png" onerror="globalThis.taken=1"><script>globalThis.taken=1</script>';
const THING = `name: '${EVIL}'
driver: simulated
room: '${EVIL}'
properties:
  words: { name: '${EVIL}', datatype: string, settable: true, source: { value: '${EVIL}' } }
  choice: { name: Choice, datatype: enum, values: ['${EVIL}', other], settable: true }
  number: { name: Number, datatype: float, unit: '<q>u</q>' }
`;
/** A slash would make levels of it. */
const TOPIC = EVIL.replaceAll('/', '|');
/** Where something of theirs is shown, and a text of theirs that must be seen there. */
const PAGES: readonly (readonly [path: string, ready: string])[] = [
  ['/', EVIL],
  ['/admin/things', EVIL],
  ['/admin/things/evil', EVIL],
  ['/admin/mqtt/clients', EVIL],
  ['/admin/mqtt/topics', TOPIC],
  ['/admin/media/library', EVIL],
  ['/admin/media', EVIL],
  ['/admin/people', 'admin'],
  ['/admin/services', 'broker'],
  ['/admin/services/media', 'media'],
  ['/admin/services/broker', 'broker'],
  ['/kiosk', ''],
];

let box: Appliance;
let page: Page;
let closeBrowser: () => Promise<void>;
let complaints: string[];

beforeAll(async () => {
  box = await startLocalAppliance({ things: { 'evil.yaml': THING } });
  const headers = { authorization: `Bearer ${box.token}` };
  const song = { ...headers, 'content-type': 'audio/wav' };
  const upload = await fetch(`${box.url}/api/media/library/song.wav`, {
    method: 'PUT',
    headers: song,
    body: wavOfSilence(30, EVIL),
  });
  expect(upload.status).toBe(200);
  expect((await box.api('POST', '/api/media/queue', { source: 'song.wav' })).status).toBe(200);
  // topics and payloads of theirs, and a broken file whose mistake is told with its own words
  await box.api('POST', '/api/sse/publish', { topic: TOPIC, value: EVIL, retain: true });
  const login = { name: 'evil', password: 'wants to come in' };
  await box.addMqttUser(login.name, login.password, [{ filter: 'garden/#', access: 'both' }]);
  for (const password of [login.password, 'another'])
    await run('mosquitto_pub', [
      ...['-p', String(box.mqttPort), '-i', EVIL, '-u', login.name, '-P', password],
      ...['-t', 'garden/evil', '-m', EVIL],
    ]).catch(() => undefined); // the second is refused, which is logged
  await box.dropThing('broken.yaml', `name: '${EVIL}'\ndriver: '${EVIL}'\n`);
  await box.api('PUT', '/api/server/kiosk', { title: EVIL, tiles: ['evil/main/words'], dark: 'auto' });
  const browser = await launchChromium();
  closeBrowser = () => browser.close();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
  await context.request.post(`${box.url}/api/server/login`, {
    data: { name: 'admin', password: ADMIN_PASSWORD },
    headers: { origin: box.url },
  });
  page = await context.newPage();
  complaints = complaintsOf(page);
});
afterAll(async () => {
  await closeBrowser?.();
  await box?.stop();
});
afterEach(() => expect(complaints).toEqual([]));

test.each(PAGES)('markup and script of others stay text on %s', { timeout: 60_000 }, async (path, ready) => {
  await page.goto(box.url + path);
  await until('what is shown there', async () => (await page.locator('body').innerText()).includes(ready), 20_000);
  const taken = await page.evaluate(() => ({
    ran: 'taken' in globalThis,
    images: document.querySelectorAll('img[src$="x.png"], q').length,
    scripts: document.querySelectorAll('script:not([src])').length,
  }));
  expect(taken).toEqual({ ran: false, images: 0, scripts: 0 });
});

test('no page may run a script that is not a file of ours', async () => {
  for (const path of ['/', '/admin/services', '/kiosk']) {
    const policy = (await fetch(box.url + path)).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|https?:|\*/);
  }
});

test('a page of another site can change nothing', async () => {
  const elsewhere = await page.context().newPage();
  await elsewhere.route('http://elsewhere.test/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<title>elsewhere</title>' }),
  );
  await elsewhere.goto('http://elsewhere.test/');
  for (const path of ['/api/server/preferences', '/api/media/stop', '/api/server/services/media/restart', '/api/server/logout']) {
    await elsewhere.evaluate(async (url) => {
      await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }).catch(() => undefined);
    }, box.url + path);
  }
  await elsewhere.close();
  const answer = await fetch(`${box.url}/api/media/stop`, { method: 'POST', headers: { origin: 'http://elsewhere.test' } });
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, 'cross-site']);
  // nobody was signed out
  await page.goto(`${box.url}/`);
  await page.getByRole('link', { name: 'Dashboard' }).waitFor();
});
