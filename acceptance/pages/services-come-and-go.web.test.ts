import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RealPages } from '../../webui/tests/real-pages.ts';
import { type ByHand, ServiceByHand } from '../service-by-hand.ts';

const SEEN_WITHIN_MS = 2000;

const pages = new RealPages();
const chime = new ServiceByHand();
beforeAll(() => chime.build());
afterEach(() => chime.stopAll());
afterAll(() => chime.remove());

const within = { timeout: SEEN_WITHIN_MS };
const start = async (version: '1.0.0' | '2.0.0'): Promise<ByHand> => {
  const started = chime.start(pages.box, version);
  await started.ready();
  return started;
};

test('a service that comes, is upgraded, dies and goes is seen on the open dashboard within 2 s', async () => {
  const page = await pages.open('/');
  const block = page.getByRole('heading', { name: 'Says chime' });
  expect(await block.count()).toBe(0);

  const first = await start('1.0.0');
  await block.waitFor(within);
  await page.getByText('chime 1.0.0', { exact: true }).waitFor(within);

  await first.stop();
  await block.waitFor({ state: 'detached', ...within });

  const second = await start('2.0.0');
  await page.getByText('chime 2.0.0', { exact: true }).waitFor(within);

  await second.stop('SIGKILL');
  await page.locator('.badge.lost').waitFor(within);

  const third = await start('2.0.0');
  await page.locator('.badge.lost').waitFor({ state: 'detached', ...within });
  await third.stop();
  await block.waitFor({ state: 'detached', ...within });
});

test('and so it is on the admin page', async () => {
  const page = await pages.open('/admin/services');
  const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'chime' }) });
  const started = await start('1.0.0');
  await row.waitFor(within);
  await started.stop('SIGKILL');
  await row.getByText('Not answering', { exact: true }).waitFor(within);
  const again = await start('1.0.0');
  await again.stop();
  await row.waitFor({ state: 'detached', ...within });
});

test('one that will not come back is forgotten on its page', async () => {
  await (await start('1.0.0')).stop('SIGKILL');
  const page = await pages.open('/admin/services/chime');
  await page.getByRole('button', { name: 'Forget' }).waitFor(within);
  await pages.look();
  await page.getByRole('button', { name: 'Forget' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByText('chime is off the list').waitFor(within);
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor(within);
  await page.getByRole('link', { name: 'chime' }).waitFor({ state: 'detached', ...within });
});
