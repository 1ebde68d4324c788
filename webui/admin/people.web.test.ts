import { expect, test } from 'vitest';
import { RealPages } from '../tests/real-pages.ts';

const pages = new RealPages();

test('a person is added, changed and deleted; the last admin stays', async () => {
  const page = await pages.open('/admin/people');
  const dialog = page.getByRole('dialog');
  await page.getByText('The last admin stays an admin.').waitFor();
  expect(await page.getByRole('button', { name: 'Delete admin' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Add a person' }).click();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('maria');
  await dialog.getByRole('textbox', { name: 'Password' }).fill('short');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('[data-invalid]').getByText('10 or more are wanted').waitFor();
  await pages.look();
  await dialog.getByRole('textbox', { name: 'Password' }).fill('nine green bottles');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('maria was added').waitFor();
  await page.getByRole('button', { name: 'Change maria' }).click();
  await dialog.getByRole('combobox', { name: 'Role' }).selectOption('admin');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('maria was changed').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Delete admin' }).isDisabled(), { timeout: 10_000 }).toBe(false);
  await page.getByRole('button', { name: 'Delete maria' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('maria was deleted').waitFor();
  await page.getByRole('button', { name: 'Change maria' }).waitFor({ state: 'detached' });
});

test('a wrong present password is said beside its field', async () => {
  const page = await pages.open('/admin/people');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByRole('textbox', { name: 'Present password' }).fill('not this one');
  await page.getByRole('textbox', { name: 'New password' }).fill('another quiet heron');
  await page.getByRole('button', { name: 'Save' }).click();
  await page
    .locator('[data-invalid]')
    .filter({ has: page.getByRole('textbox', { name: 'Present password' }) })
    .waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('a token is shown once, works, and is revoked', async () => {
  const page = await pages.open('/admin/people');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Weather script');
  await dialog.getByRole('button', { name: 'Make a token' }).click();
  const token = await dialog.getByRole('textbox', { name: 'Token' }).inputValue();
  expect(await dialog.getByRole('textbox', { name: 'To try it' }).inputValue()).toContain(`Bearer ${token}`);
  await pages.look();
  const ask = () => fetch(`${pages.box.url}/api/server/services`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask()).status).toBe(200);
  await dialog.getByRole('button', { name: 'I have it' }).click();
  expect(await page.content()).not.toContain(token);
  await page.getByRole('button', { name: 'Revoke Weather script' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('Weather script was revoked').waitFor();
  expect((await ask()).status).toBe(401);
});

test('another browser is signed out from here', async () => {
  const other = await pages.open('/admin/people', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });
  await other.getByText('this one').waitFor();
  const page = await pages.open('/admin/people');
  await page
    .getByRole('button', { name: /^Sign out admin, Firefox on Linux/ })
    .first()
    .click();
  await page.getByText('Signed out', { exact: true }).waitFor();
  await other.getByText('Your session has ended.').waitFor();
});

test('who changed what is told page by page', async () => {
  for (let i = 0; i < 25; i++) await pages.box.api('POST', '/api/server/users', { name: `p${i}`, role: 'viewer', password: 'x' });
  const page = await pages.open('/admin/people');
  const entries = page.getByRole('table').getByRole('row');
  await expect.poll(() => entries.count(), { timeout: 10_000 }).toBe(21);
  await page.getByRole('table').getByText('refused (422)').first().waitFor();
  await pages.look();
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect.poll(() => entries.count(), { timeout: 10_000 }).toBeGreaterThan(25);
});
