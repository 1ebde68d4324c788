import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { RealPages } from '../tests/real-pages.ts';

const pages = new RealPages({ environment: { EDGE_SSE_HEARTBEAT_S: '10' } });

const row = (page: Page, name: string) => page.getByRole('listitem').filter({ has: page.getByRole('link', { name, exact: true }) });
const setting = (page: Page, name: string) => page.locator('.setting').filter({ has: page.getByLabel(name, { exact: true }) });

test('a killed service is seen going and coming', async () => {
  const page = await pages.open('/admin/services');
  const media = row(page, 'media');
  await media.getByText('Running', { exact: true }).waitFor();
  await media.getByText(/of 160/).waitFor();
  await pages.look();
  const gone = media.getByText('Not answering').waitFor();
  await pages.box.kill('media');
  await gone;
  await media.getByText('Running', { exact: true }).waitFor({ timeout: 30_000 });
  await media.getByText('1 restart', { exact: true }).waitFor();
});

test('a service is restarted, after a question', async () => {
  const page = await pages.open('/admin/services/media');
  const pid = await pages.box.pidOf('media');
  await page.getByRole('button', { name: 'Restart' }).click();
  await page.getByRole('dialog').getByText('The music pauses').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
  await expect.poll(() => pages.box.pidOf('media'), { timeout: 20_000 }).not.toBe(pid);
  await page.locator('.service-state.ready').waitFor();
});

test('a service that was stopped can be started again', async () => {
  const page = await pages.open('/admin/services/media');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  await page.locator('.service-state.stopped, .service-state.disconnected').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.locator('.service-state.ready').waitFor();
});

test('settings: faults beside the field, only changes are sent, what the environment fixes is locked', async () => {
  const page = await pages.open('/admin/services/sse');
  const readers = page.getByRole('textbox', { name: 'Streams open at once' });
  await readers.fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await setting(page, 'Streams open at once').getByText('At least 1 is wanted.').waitFor();
  expect(await readers.evaluate((input) => input === document.activeElement)).toBe(true);
  expect(await page.getByRole('textbox', { name: 'Heartbeat' }).isDisabled()).toBe(true);
  await setting(page, 'Heartbeat').getByText('Fixed by an environment variable').waitFor();
  await readers.fill('900');
  const sent = page.waitForRequest((request) => request.method() === 'PUT' && request.url().endsWith('/api/sse/settings'));
  await page.getByRole('button', { name: 'Save' }).click();
  expect((await sent).postDataJSON()).toEqual({ maxReaders: 900 });
  await setting(page, 'Streams open at once').getByText('Set here').waitFor();
  await page.getByRole('button', { name: 'Streams open at once: back to default' }).click();
  expect(await readers.inputValue()).toBe('1000');
  await page.getByRole('button', { name: 'Save' }).click();
  await setting(page, 'Streams open at once').getByText('Default', { exact: true }).waitFor();
});

test('what the box itself refuses stands beside its field too', async () => {
  const page = await pages.open('/admin/services/media');
  await page.getByRole('textbox', { name: 'Sound output' }).fill('not an output!');
  await page.getByRole('button', { name: 'Save' }).click();
  await page
    .locator('.setting[data-invalid]')
    .filter({ has: page.getByRole('textbox', { name: 'Sound output' }) })
    .waitFor();
});

test('a setting that needs a restart says so, and the restart is one button', async () => {
  const page = await pages.open('/admin/services/device');
  await page.getByRole('textbox', { name: 'Discovery prefix of Home Assistant' }).fill('ha');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Some changes take effect after a restart.').waitFor();
  await pages.look();
  await page.getByRole('button', { name: 'Restart now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
  await page.getByText('Some changes take effect after a restart.').waitFor({ state: 'detached', timeout: 30_000 });
  expect(await page.getByRole('textbox', { name: 'Discovery prefix of Home Assistant' }).inputValue()).toBe('ha');
});

test('the log is live, is filtered, shows fields on demand, and waits behind a pause', async () => {
  const page = await pages.open('/admin/services/device');
  const lines = page.getByRole('list', { name: 'Live log of device' });
  await lines.getByText('service ready').first().waitFor();
  await page.getByRole('button', { name: 'Run: Read all things now' }).click();
  const done = lines.getByRole('listitem').filter({ hasText: 'action done' });
  await done.first().waitFor();
  expect(await done.first().getByText('read-now').isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Details' }).click();
  await done.first().getByText('read-now').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Run: Read all things now' }).click();
  await page.getByText('1 new line').waitFor();
  await expect.poll(() => done.count()).toBe(1);
  await page.getByRole('button', { name: 'Go on' }).click();
  await done.nth(1).waitFor();
  await page.getByRole('searchbox', { name: 'Search' }).fill('nothing says <b>this</b>');
  await page.getByText('No line fits the filter yet.').waitFor();
  await page.getByRole('searchbox', { name: 'Search' }).fill('READ-NOW');
  await done.nth(1).waitFor();
  await expect.poll(() => lines.getByRole('listitem').count()).toBe(2);
});
