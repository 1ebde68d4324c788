import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { RealPages } from '../../tests/real-pages.ts';

const GREENHOUSE = `# behind the garage
name: Greenhouse
driver: simulated
room: Garden
properties:
  temperature: { name: Temperature, datatype: float, unit: °C, source: { wave: constant, value: 21.5 } }
`;
const pages = new RealPages({ things: { 'greenhouse.yaml': GREENHOUSE, 'lamp.yaml': GREENHOUSE.replace('Greenhouse', 'Lamp') } });
const { fileOf, editor, notice } = {
  fileOf: (thing: string) => join(pages.box.dataDir, 'things', `${thing}.yaml`),
  editor: () => pages.page.getByRole('textbox', { name: 'File' }),
  notice: (text: string) => pages.page.locator('.notice').filter({ hasText: text }),
};
const role: typeof pages.page.getByRole = (...wanted) => pages.page.getByRole(...wanted);

test('a thing is added from a template by a form, and tried out before it is kept', async () => {
  await pages.open('/admin/things/new');
  await role('radio', { name: /Simulation/ }).check();
  await role('textbox', { name: 'Name' }).fill('Café: corner');
  await role('combobox', { name: 'Room' }).fill('Cellar');
  expect(await role('textbox', { name: 'Id' }).inputValue()).toBe('cafe-corner');
  expect(await editor().inputValue()).toMatch(/^name: "Café: corner"\ndriver: simulated\nroom: Cellar\n/);
  await role('button', { name: 'Test' }).click();
  await pages.page.locator('.reading-row').filter({ hasText: 'temperature' }).filter({ hasText: '°C' }).waitFor();
  expect(existsSync(fileOf('cafe-corner'))).toBe(false);
  await pages.look();
  await role('button', { name: 'Add this thing' }).click();
  await role('heading', { level: 1, name: 'Café: corner' }).waitFor();
  expect(readFileSync(fileOf('cafe-corner'), 'utf8')).toContain('room: Cellar');
  await role('region', { name: 'Now' }).getByText('°C').waitFor();
  await role('link', { name: 'Things' }).last().click();
  await role('listitem').filter({ hasText: 'Café: corner' }).getByText('Ready · Cellar · simulated').waitFor();
});

test('an id that is taken is not taken twice', async () => {
  await pages.open('/admin/things/new');
  await role('radio', { name: /Simulation/ }).check();
  await role('textbox', { name: 'Name' }).fill('Lamp');
  expect(await role('textbox', { name: 'Id' }).inputValue()).toBe('lamp-2');
  await role('textbox', { name: 'Id' }).fill('lamp');
  await pages.page.getByText('There is a thing of this id already.').waitFor();
  expect(await role('button', { name: 'Add this thing' }).isDisabled()).toBe(true);
});

test('who begins anew over a file of their own is asked, and nothing is chosen when they do not want to', async () => {
  await pages.open('/admin/things/new');
  await role('radio', { name: /Simulation/ }).check();
  await editor().fill('# by hand');
  await role('radio', { name: /MQTT device/ }).click();
  await role('dialog', { name: 'Begin anew?' }).getByRole('button', { name: 'Cancel' }).click();
  await expect.poll(() => role('radio', { name: /Simulation/ }).isChecked()).toBe(true);
  expect(await editor().inputValue()).toBe('# by hand');
});

test('a mistake is shown at its line, the caret goes there, and what was kept before stays', async () => {
  await pages.open('/admin/things/greenhouse');
  await editor().fill(GREENHOUSE.replace('float', 'flot'));
  await role('button', { name: 'Save' }).click();
  await role('alert').getByText('There is a mistake in the file').waitFor();
  await pages.page.locator('.editor-mistake').getByText('"flot"').waitFor();
  expect(await pages.page.locator('.editor-numbers .bad').textContent()).toBe('6');
  expect(
    await editor().evaluate(
      (area: HTMLTextAreaElement) => document.activeElement === area && area.value.slice(0, area.selectionStart).split('\n').length,
    ),
  ).toBe(6);
  await pages.look();
  expect(readFileSync(fileOf('greenhouse'), 'utf8')).toBe(GREENHOUSE);
  await editor().fill(GREENHOUSE.replace('Greenhouse', 'Glass house'));
  await pages.page.keyboard.press('Control+s');
  await role('heading', { level: 1, name: 'Glass house' }).waitFor();
  expect(await role('alert').count()).toBe(0);
  await editor().fill(GREENHOUSE);
  await role('button', { name: 'Save' }).click();
  await role('heading', { level: 1, name: 'Greenhouse' }).waitFor();
});

test('Tab writes in the file, and Escape lets it go on in the page', async () => {
  await pages.open('/admin/things/greenhouse');
  await editor().fill('a:');
  await pages.page.keyboard.press('Enter');
  await pages.page.keyboard.type('b:');
  expect(await editor().inputValue()).toBe('a:\n  b:');
  await pages.page.keyboard.press('Tab');
  await pages.page.keyboard.press('Shift+Tab');
  await pages.page.keyboard.press('Shift+Tab');
  expect(await editor().evaluate((area: HTMLTextAreaElement) => area.value.trimEnd())).toMatch(/^a:\nb:/);
  await pages.page.keyboard.press('Escape');
  await pages.page.keyboard.press('Tab');
  expect(await role('button', { name: 'Discard changes' }).evaluate((button) => button === document.activeElement)).toBe(true);
  await role('button', { name: 'Discard changes' }).click();
});

test('who leaves with changes is asked', async () => {
  await pages.open('/admin/things');
  await role('link', { name: 'Greenhouse' }).click();
  await editor().fill('# begun');
  await role('link', { name: 'MQTT' }).click();
  await role('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Cancel' }).click();
  expect(await editor().inputValue()).toBe('# begun');
  await pages.page.evaluate(() => history.back());
  await role('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Cancel' }).click();
  expect(new URL(pages.page.url()).pathname).toBe('/admin/things/greenhouse');
  await role('link', { name: 'MQTT' }).click();
  await role('dialog').getByRole('button', { name: 'Leave' }).click();
  await role('heading', { level: 1, name: 'MQTT' }).waitFor();
});

test('a thing is switched off and on, deleted and brought back, all with one press to take it back', async () => {
  await pages.open('/admin/things');
  await role('switch', { name: 'Lamp is in use' }).click();
  await notice('Lamp is switched off').waitFor();
  await role('listitem').filter({ hasText: 'Lamp' }).getByText('Switched off').waitFor();
  await notice('Lamp is switched off').getByRole('button', { name: 'Undo' }).click();
  await role('listitem').filter({ hasText: 'Lamp' }).getByText('Ready').waitFor();
  const before = readFileSync(fileOf('lamp'), 'utf8');
  await role('link', { name: 'Lamp' }).click();
  await role('button', { name: 'Delete' }).click();
  await role('dialog').getByRole('button', { name: 'Delete' }).click();
  await notice('Lamp is deleted').waitFor();
  expect(existsSync(fileOf('lamp'))).toBe(false);
  await notice('Lamp is deleted').getByRole('button', { name: 'Undo' }).click();
  await role('listitem').filter({ hasText: 'Lamp' }).waitFor();
  expect(readFileSync(fileOf('lamp'), 'utf8')).toBe(before);
});

test('a file with a mistake is listed with its place, and can be corrected', async () => {
  await pages.open('/admin/things');
  await pages.box.dropThing('shed.yaml', GREENHOUSE.replace('simulated', 'simulatd').replace('Greenhouse', '"<b>Shed</b>"'));
  const faulty = role('region', { name: '1 file has a mistake' });
  await faulty.getByText('Line 3').waitFor();
  await pages.look();
  await faulty.getByRole('link', { name: 'Correct' }).click();
  await role('heading', { level: 1 }).getByText('<b>Shed</b>').waitFor();
  await editor().fill(GREENHOUSE);
  await role('button', { name: 'Save' }).click();
  await notice('is saved').waitFor();
  await until('the thing to run', async () => (await pages.box.api('GET', '/api/device/things/shed')).status === 200);
});
