import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until, wavOfSilence } from '@ledge/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complaintsOf, launchChromium } from '../../webui/tests/browser.ts';
import type { Appliance, ServiceName } from '../appliance.ts';
import { startLocalAppliance } from '../local-appliance.ts';
import { type Hands, keyboard, pointer } from './hands.ts';

const PASSWORD = 'correct horse battery';
const PASSPHRASE = 'tin of biscuits';
const WITHIN_MS = 30_000;
const run = promisify(execFile);

/** One journey through everything that an owner does, each step from where the last one ended. */
function journey(hands: Hands): void {
  let folder: string;
  let box: Appliance;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let token: string;

  const role: Page['getByRole'] = (...wanted) => page.getByRole(...wanted);
  const notice = (text: string | RegExp) => page.locator('.notice').filter({ hasText: text }).first().waitFor();
  const press = (target: ReturnType<typeof role>) => hands.press(target);
  const goTo = async (link: string, heading: string) => {
    await press(role('navigation', { name: 'Admin pages' }).getByRole('link', { name: link }));
    await role('heading', { level: 1, name: heading }).waitFor();
  };
  const openBrowser = async () => {
    await context?.close();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', acceptDownloads: true });
    context.setDefaultTimeout(WITHIN_MS);
    page = await context.newPage();
    complaints = complaintsOf(page);
    await page.goto(box.url);
  };
  const asAdmin = <T>(method: string, path: string) => box.api<T>(method, path, undefined, { authorization: `Bearer ${token}` });

  async function firstStart(): Promise<void> {
    await press(role('button', { name: 'Begin' }));
    await hands.write(role('textbox', { name: 'Password', exact: true }), PASSWORD);
    await page.getByText('Strong').waitFor();
    await hands.write(role('textbox', { name: 'Password, again' }), PASSWORD);
    await press(role('button', { name: 'Next' }));
    await hands.write(role('textbox', { name: 'Name of the box' }), 'Greenhouse box');
    await press(role('button', { name: 'Finish' }));
    await role('link', { name: 'Greenhouse box' }).waitFor();
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledge-journey-'));
    box = await startLocalAppliance({ asNew: true });
    browser = await launchChromium();
    await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await box?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('first start: language, password, name; then the dashboard with the machine itself live, and what to add next', async () => {
    await role('heading', { name: 'Welcome' }).waitFor();
    await firstStart();
    await page.getByText('What comes next?').waitFor();
    const load = page.locator('.tile').filter({ hasText: 'Processor' });
    const before = await load.textContent();
    await until('the load to change', async () => (await load.textContent()) !== before, WITHIN_MS);
  });

  test('a token is made, shown once, and opens the API for curl', async () => {
    await press(role('link', { name: 'Admin' }));
    await goTo('People', 'People');
    await press(role('button', { name: 'Make a token' }));
    await hands.write(role('textbox', { name: 'Name' }), 'journey');
    await role('combobox', { name: 'Role' }).focus();
    await role('combobox', { name: 'Role' }).selectOption('admin');
    await press(role('dialog').getByRole('button', { name: 'Make a token' }));
    const line = await role('dialog').getByRole('textbox', { name: 'To try it' }).inputValue();
    token = /Bearer ([^"]+)"/.exec(line)?.[1] ?? '';
    const { stdout } = await run('curl', ['-s', '-H', `Authorization: Bearer ${token}`, `${box.url}/api/server/services`]);
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toContain('broker');
    await press(role('button', { name: 'I have it' }));
    expect(await page.getByText(token).count()).toBe(0);
  });

  test('a thing is added by the form; its output is switched and acknowledged', async () => {
    await goTo('Things', 'Things');
    await press(role('link', { name: 'Add a thing' }).first());
    await press(role('radio', { name: /Simulation/ }));
    await hands.write(role('textbox', { name: 'Name', exact: true }), 'Shed');
    await press(role('button', { name: 'Add this thing' }));
    await role('heading', { level: 1, name: 'Shed' }).waitFor();
    await press(role('link', { name: 'Dashboard' }));
    const output = page.locator('section, article').filter({ hasText: 'Shed' }).getByRole('switch').last();
    await output.waitFor();
    await press(output);
    await until('it to be on', async () => (await output.getAttribute('aria-checked')) === 'true', WITHIN_MS);
    await page.getByText('Set', { exact: true }).first().waitFor();
    const { body } = await asAdmin<{ properties: { settable: boolean; value: unknown }[] }>('GET', '/api/device/things/shed');
    expect(body.properties.some(({ settable, value }) => settable && value === true)).toBe(true);
  });

  test('its YAML is broken, which is told at the line, and mended', async () => {
    await press(role('link', { name: 'Admin' }));
    await goTo('Things', 'Things');
    await press(role('link', { name: /^Shed/ }).first());
    const editor = role('textbox', { name: 'File' });
    await editor.waitFor();
    const good = await editor.inputValue();
    await hands.write(editor, good.replace('driver: simulated', 'driver: simulatd'));
    await press(role('button', { name: 'Save' }));
    await role('alert').getByText('There is a mistake in the file').waitFor();
    await hands.write(editor, good.replace('name: Shed', 'name: Garden shed'));
    await press(role('button', { name: 'Save' }));
    await role('heading', { level: 1, name: 'Garden shed' }).waitFor();
  });

  test('a service setting is changed and is in force', async () => {
    await goTo('Services', 'Services');
    await press(role('link', { name: 'device' }));
    await role('heading', { level: 1, name: 'device' }).waitFor();
    await hands.write(page.getByLabel('Time for a reading'), '4000');
    await press(role('button', { name: 'Save' }));
    await notice('Settings saved; they are in force');
    const { body } = await asAdmin<{ values: { readTimeoutMs: number } }>('GET', '/api/device/settings');
    expect(body.values.readTimeoutMs).toBe(4000);
  });

  test('a song is uploaded and plays', async () => {
    await goTo('Media', 'Media');
    await press(
      role('link', { name: 'Library' })
        .or(role('tab', { name: 'Library' }))
        .first(),
    );
    await hands.choose(page, role('button', { name: 'Upload' }), { name: 'march.wav', mimeType: 'audio/wav', buffer: wavOfSilence(60) });
    await press(role('button', { name: 'Play now: march' }));
    const playing = async () => (await asAdmin<{ state: string; positionS: number | null }>('GET', '/api/media/')).body;
    await until('it to play on', async () => (await playing()).state === 'playing' && ((await playing()).positionS ?? 0) > 0.2, WITHIN_MS);
    await role('button', { name: 'Pause' }).first().waitFor();
  });

  test('a service that is killed is seen going, and coming back', async () => {
    await goTo('Services', 'Services');
    const row = role('listitem').filter({ hasText: 'media' });
    await row.getByText('Running').waitFor();
    const gone = row.getByText(/Stopped|Not answering|Starting|Restarting/).waitFor();
    const service = (await asAdmin<{ name: ServiceName; pid: number }[]>('GET', '/api/server/services')).body.find(
      ({ name }) => name === 'media',
    );
    process.kill(service?.pid ?? 0, 'SIGKILL');
    await gone;
    await row.getByText('Running').waitFor();
    await row.getByText(/1 restart/).waitFor();
  });

  test('backup, a new empty box, restore: things, people and settings are there again', async () => {
    await goTo('People', 'People');
    await press(role('button', { name: 'Add a person' }));
    await hands.write(role('dialog').getByRole('textbox', { name: 'Name' }), 'Ana');
    await hands.write(role('dialog').getByLabel('Password', { exact: true }), 'a wheelbarrow of tea');
    await press(role('dialog').getByRole('button', { name: 'Save' }));
    await notice('Ana was added');

    await goTo('Backup', 'Backup');
    await hands.write(page.getByLabel('Passphrase (optional)'), PASSPHRASE);
    const download = page.waitForEvent('download');
    await press(role('button', { name: 'Make and download' }));
    const file = join(folder, 'box.ledge');
    await (await download).saveAs(file);

    await box.stop();
    box = await startLocalAppliance({ asNew: true });
    await openBrowser();
    await firstStart();
    await press(role('link', { name: 'Admin' }));
    await goTo('Backup', 'Backup');
    await page.getByLabel('Choose a backup file').setInputFiles(file);
    await hands.write(page.getByLabel('Passphrase', { exact: true }), 'not the one');
    await press(role('button', { name: 'Open' }));
    await page
      .getByText(/passphrase does not open|does not open this backup/i)
      .first()
      .waitFor();
    await hands.write(page.getByLabel('Passphrase', { exact: true }), PASSPHRASE);
    await press(role('button', { name: 'Open' }));
    await role('heading', { name: 'This file holds' }).waitFor();
    await press(role('button', { name: 'Restore…' }));
    await press(role('dialog').getByRole('button', { name: 'Replace everything' }));

    await role('heading', { name: 'Sign in' }).waitFor();
    await hands.write(role('textbox', { name: 'Password' }), PASSWORD);
    await press(role('button', { name: 'Sign in' }));
    await page.getByText('was restored').first().waitFor();
    const things = await until('the things', async () => {
      const { status, body } = await asAdmin<{ name: string }[]>('GET', '/api/device/things');
      return status === 200 && body.some(({ name }) => name === 'Garden shed') && body;
    });
    expect(things.map(({ name }) => name)).toContain('Garden shed');
    const people = await asAdmin<{ name: string }[]>('GET', '/api/server/users');
    expect(people.body.map(({ name }) => name)).toEqual(expect.arrayContaining(['admin', 'Ana']));
    const settings = await asAdmin<{ values: { readTimeoutMs: number } }>('GET', '/api/device/settings');
    expect(settings.body.values.readTimeoutMs).toBe(4000);
    const library = await asAdmin<{ path: string }[]>('GET', '/api/media/library');
    expect(library.body.map(({ path }) => path)).toContain('march.wav');
    expect(complaints).toEqual([]);
  });
}

describe('by pointer', () => journey(pointer));
describe('by keyboard alone', () => journey(keyboard));
