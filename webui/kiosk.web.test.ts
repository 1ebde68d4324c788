import { expect, test } from 'vitest';
import { furnish } from './fake-box.ts';
import { FakePages } from './tests/fake-page.ts';

const my = new FakePages();

async function shown(): Promise<void> {
  furnish(my.box);
  my.box.kiosk = { title: 'Barn', tiles: ['greenhouse/main/temperature', 'gate/main/open', 'cellar/main/gone'], dark: 'dark' };
  await my.open({ viewport: { width: 1280, height: 720 } });
  await my.signIn();
  await my.page.goto(`${my.box.url}/kiosk`);
  await my.page.getByText('21.4').waitFor();
}

test('the screen shows the chosen values in order, large, with a clock and without anything to scroll', async () => {
  await shown();
  await my.page.getByRole('heading', { name: 'Barn' }).waitFor();
  await expect
    .poll(() => my.page.getByRole('article').allTextContents())
    .toEqual([
      expect.stringMatching(/Greenhouse.*Temperature.*21\.4/),
      expect.stringMatching(/Garden gate.*Gate.*closed/),
      expect.stringMatching(/cellar.*not there/),
    ]);
  await my.page.getByText(/^\d\d:\d\d$/).waitFor();
  expect(await my.page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBeLessThanOrEqual(0);
  expect(await my.page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
  my.say('greenhouse', 'temperature', '25.75');
  await my.page.getByText('25.75').waitFor();
  await expect
    .poll(() => my.box.heartbeats[0], { timeout: 10_000 })
    .toMatchObject({ page: '/kiosk', online: true, drawnAgoMs: expect.any(Number) });
  await my.look('kiosk-1280-dark');
  expect(my.complaints).toEqual([]);
});

test('a box that restarts is told quietly, and the screen is right again without a hand on it', async () => {
  await shown();
  await my.box.stop();
  await my.page.getByText('Not connected. The values are old.').waitFor();
  my.say('greenhouse', 'temperature', '19.5');
  await my.box.start();
  await my.page.getByText('19.5').waitFor();
  await expect.poll(() => my.page.getByText('Not connected.').count()).toBe(0);
});

test('a session that ended is asked for again until it is there', async () => {
  await shown();
  const sessions = [...my.box.sessions];
  my.box.endSessions();
  await my.page.getByText('This screen is not signed in.').waitFor();
  for (const id of sessions) my.box.sessions.add(id);
  await my.page.getByText('21.4').waitFor({ timeout: 30_000 });
});

test('a screen that starts before its box waits for it', async () => {
  await shown();
  const response = await my.page.request.get(`${my.box.url}/kiosk`);
  expect(response.ok()).toBe(true);
  await my.page.route('**/api/server/health', (route) => route.abort(), { times: 2 });
  await my.page.reload();
  await my.page.getByText('The box does not answer.').waitFor();
  await my.page.getByText('21.4').waitFor({ timeout: 20_000 });
});

test('an admin chooses on the dashboard what the screen shows', async () => {
  furnish(my.box);
  await my.signIn();
  await my.page.getByRole('button', { name: 'Arrange' }).click();
  await my.page.getByRole('button', { name: "On the box's screen" }).click();
  const dialog = my.page.getByRole('dialog', { name: "On the box's screen" });
  await dialog.getByRole('textbox', { name: 'Title' }).fill('Barn');
  await dialog.getByRole('checkbox', { name: /^Pump · Flow/ }).check();
  await dialog.getByRole('searchbox', { name: 'Find' }).fill('green');
  await dialog.getByRole('checkbox', { name: /^Greenhouse · Temperature/ }).check();
  await dialog.getByRole('combobox', { name: 'Colours' }).selectOption('dark');
  await my.look('screen-dialog-360-light');
  await dialog.getByRole('button', { name: 'Chosen, in order' }).click();
  await dialog.getByRole('button', { name: 'Move Greenhouse · Temperature up' }).click();
  await my.look('screen-dialog-order-360-light');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => my.box.kiosk).toEqual({ title: 'Barn', tiles: ['greenhouse/main/temperature', 'pump/main/flow'], dark: 'dark' });
  await dialog.waitFor({ state: 'detached' });
});
