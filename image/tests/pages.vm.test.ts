import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_PASSWORD } from '../../acceptance/appliance.ts';
import { axeFindings, complaintsOf, launchChromium } from '../../webui/tests/browser.ts';
import { IMAGE_FOLDER } from './vm/built.ts';
import { readyBox } from './vm/held-box.ts';
import type { Machine } from './vm/machine.ts';

/** An emulated box that has just started answers slowly. */
const WITHIN_MS = 120_000;
const PICTURES = join(IMAGE_FOLDER, 'pages');
let box: Machine;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launchChromium();
  box = await readyBox('pages');
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
  context.setDefaultTimeout(WITHIN_MS);
});
afterAll(async () => {
  await browser?.close();
  await box?.remove();
});

const panel = (page: Page, title: string) => page.getByRole('region', { name: title });

test('a new box is set up in the browser, and its own values are on the dashboard', { timeout: 5 * WITHIN_MS }, async () => {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(box.url);
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByLabel('Password', { exact: true }).fill(ADMIN_PASSWORD);
  await page.getByLabel('Password, again').fill(ADMIN_PASSWORD);
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Name of the box').fill('Barn');
  await page.getByRole('button', { name: 'Finish' }).click();
  await page.getByText('Memory used').first().waitFor();
  await page.screenshot({ path: join(PICTURES, 'dashboard.png'), fullPage: true });
  expect(complaints).toEqual([]);
});

test('the system page tells both slots, why this one runs, the watchdog, and what the doctor finds', {
  timeout: 5 * WITHIN_MS,
}, async () => {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${box.url}/admin/system`);
  const start = panel(page, 'Start-up and safety nets');
  await start.getByText('Slot A').waitFor();
  await start.getByText('Slot B').waitFor();
  await start.getByText('The normal one').waitFor();
  await start.getByText(/restarts a machine that hangs/i).waitFor();
  await page.getByText('All is well').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.screenshot({ path: join(PICTURES, 'system.png'), fullPage: true });
  expect(complaints).toEqual([]);
});
