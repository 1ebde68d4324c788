import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RealPages, signIn } from '../tests/real-pages.ts';

const PASSPHRASE = 'open sesame, please';

const pages = new RealPages();

test('a file that is no backup is refused with the reason', async () => {
  const page = await pages.open('/admin/backup');
  await page
    .getByLabel('Choose a backup file')
    .setInputFiles({ name: 'cat.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('meow'.repeat(1000)) });
  await page
    .getByRole('alert')
    .getByText(/backup/)
    .waitFor();
  await pages.look();
});

test('a backup with a passphrase is made, opened and put back; what came later is gone', async () => {
  const page = await pages.open('/admin/backup');
  await page.getByRole('textbox', { name: 'Passphrase (optional)' }).fill('short');
  await page.getByRole('button', { name: 'Make and download' }).click();
  await page.getByText('8 characters or more are wanted.').waitFor();
  await page.getByRole('textbox', { name: 'Passphrase (optional)' }).fill(PASSPHRASE);
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Make and download' }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toMatch(/^ledge-.*\.ledge$/);
  const buffer = readFileSync(await download.path());

  await pages.box.api('POST', '/api/server/users', { name: 'latecomer', role: 'viewer', password: 'nine green bottles' });
  await page.getByLabel('Choose a backup file').setInputFiles({ name: 'mine.ledge', mimeType: '', buffer });
  const passphrase = page.getByRole('textbox', { name: 'Passphrase', exact: true });
  await passphrase.fill('not this one');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.locator('[data-invalid]').getByText('The passphrase does not open this backup').waitFor();
  await pages.look();
  await passphrase.fill(PASSPHRASE);
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('heading', { name: 'This file holds' }).waitFor();
  await page.getByText('1 person').waitFor();
  await pages.look();

  await page.getByRole('button', { name: 'Restore…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replace everything' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 40_000 });
  await signIn(page);
  await page.getByText('was restored.').waitFor({ timeout: 30_000 });
  await page.goto(`${pages.box.url}/admin/people`);
  await page.getByRole('button', { name: 'Change admin' }).waitFor();
  expect(await page.getByRole('button', { name: 'Change latecomer' }).count()).toBe(0);
});
