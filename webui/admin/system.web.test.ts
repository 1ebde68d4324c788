import type { MachineView } from '@ledge/contract';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { RealPages } from '../tests/real-pages.ts';

const pages = new RealPages();

/** What a Raspberry Pi tells more than the machine of the test. */
const PI: Partial<MachineView> = {
  machine: 'rpi',
  model: 'Raspberry Pi 4 Model B Rev 1.5',
  temperatureC: 74.2,
  throttled: { now: { underVoltage: true }, before: { underVoltage: true, throttled: true } },
  card: { name: 'SD64G', writtenBytesSinceStart: 1_203_948_234, lifeTime: 0.3 },
  clock: { synchronized: true },
  watchdog: { hardware: 'bcm2835-wdt', timeoutS: 15 },
  slot: 'A',
  reason: 'normal',
  data: 'ok',
  slots: [
    { name: 'A', running: true, good: true, version: '0.1.0' },
    { name: 'B', running: false, good: false },
  ],
  can: ['reboot', 'power-off', 'factory-reset'],
};
const FAULT = { name: 'supply', title: 'Supply voltage', state: 'fault', seen: 'too low', wanted: '5 V', hint: 'Use a short cable.' };

/** The real answers of the box, with what only a Pi has laid over them. */
async function asPi(page: Page): Promise<void> {
  await page.route('**/api/server/machine', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...((await answer.json()) as MachineView), ...PI } });
  });
  await page.route('**/api/server/doctor', async (route) => {
    const answer = await route.fetch();
    const report = (await answer.json()) as { checks: unknown[] };
    await route.fulfill({ json: { ...report, state: 'fault', checks: [...report.checks, FAULT] } });
  });
  await page.reload();
  await page.getByText('Raspberry Pi 4 Model B Rev 1.5').waitFor();
}

test('what a machine does not tell is not shown', async () => {
  const page = await pages.open('/admin/system');
  await page.getByRole('heading', { name: 'Condition' }).waitFor();
  await page.getByText('Time zone').waitFor();
  for (const absent of ['Slot A', 'Watchdog', 'Temperature of the processor', 'Restart and power']) {
    expect(await page.getByText(absent, { exact: true }).count()).toBe(0);
  }
});

test('the name is changed, and the header follows', async () => {
  const page = await pages.open('/admin/system');
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByRole('textbox', { name: 'Name of the box' }).fill('Greenhouse');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('banner').getByText('Greenhouse').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('a Pi in trouble: faults come first, with what to do', async () => {
  const page = await pages.open('/admin/system');
  await asPi(page);
  await page.getByText('Now: too little voltage').waitFor();
  await page.getByText('Something is wrong').waitFor();
  await page.getByText('Use a short cable.').waitFor();
  await page.getByText('runs now').waitFor();
  await pages.look();
});

test('after a restart the page waits, and comes back by itself', async () => {
  const page = await pages.open('/admin/system');
  await asPi(page);
  await page.route('**/api/server/machine/reboot', (route) => route.fulfill({ json: { act: 'reboot' } }));
  let away = true;
  await page.route('**/api/server/health', async (route) => {
    if (away) return route.abort();
    return route.fulfill({ json: { ...(await (await route.fetch()).json()), uptimeS: 0 } });
  });
  const power = page.getByRole('region', { name: 'Restart and power' });
  await power.getByRole('button', { name: 'Restart' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
  await page.getByRole('heading', { name: 'The box restarts…' }).waitFor();
  await pages.look();
  away = false;
  await page.getByRole('heading', { name: 'System' }).waitFor();
});

test('a factory reset asks for the id of the box', async () => {
  const page = await pages.open('/admin/system');
  await asPi(page);
  const bodies: unknown[] = [];
  await page.route('**/api/server/machine/factory-reset', async (route) => {
    bodies.push(route.request().postDataJSON());
    await route.fulfill({ json: { act: 'factory-reset' } });
  });
  await page.getByRole('button', { name: 'Reset…' }).click();
  await page.getByRole('textbox', { name: 'Id of the box' }).fill('ledge-other');
  await page.getByRole('button', { name: 'Delete everything' }).click();
  await page.getByText('This is not the id of this box.').waitFor();
  await pages.look();
  expect(bodies).toEqual([]);
  await page.getByRole('textbox', { name: 'Id of the box' }).fill(pages.box.edge);
  await page.getByRole('button', { name: 'Delete everything' }).click();
  await page.getByRole('heading', { name: 'The box begins anew…' }).waitFor();
  expect(bodies).toEqual([{ confirm: pages.box.edge }]);
});

test('the diagnosis archive is a link that downloads', async () => {
  const { page } = pages;
  // until then the link moves, and a click that begins on it may end beside it
  const facts = ['machine', 'doctor'].map((part) => page.waitForResponse(`**/api/server/${part}`));
  await Promise.all([pages.open('/admin/system'), ...facts]);
  await page.getByRole('heading', { name: 'Condition' }).waitFor();
  const coming = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  expect((await coming).suggestedFilename()).toMatch(/\.tar\.gz$/);
});
