/** `./build.sh screenshots`: a real box with sample things, and a picture of each page and dialog at three widths, light and dark. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { ADMIN_PASSWORD, startLocalAppliance } from '../acceptance/local-appliance.ts';
import { DIALOGS, NARROW_PX, openDialog } from '../acceptance/pages/dialogs.ts';
import { furnish } from '../acceptance/pages/furnished-box.ts';
import { SAMPLE_THINGS } from '../acceptance/sample-things.ts';
import { launchChromium, settled } from '../webui/tests/browser.ts';

const USAGE = `Usage: ./build.sh screenshots [DIR]

Takes a picture of each page and dialog of the web UI at 360, 768 and 1440 pixels, light and dark, into DIR (default: dist/screenshots).`;
const WIDTHS = [360, 768, 1440] as const;
const SCHEMES = ['light', 'dark'] as const;

type Show = (page: Page, url: string) => Promise<void>;
const at =
  (path: string, ready: string): Show =>
  async (page, url) => {
    await page.goto(`${url}${path}`);
    await page.locator(ready).first().waitFor();
  };

/** Each page by the name of its picture, and how one gets there. */
const PAGES: Readonly<Record<string, Show>> = {
  dashboard: at('/', 'h2'),
  ...Object.fromEntries(
    [
      'services',
      'services/device',
      'things',
      'things/new',
      'things/greenhouse',
      'mqtt',
      'mqtt/clients',
      'mqtt/topics',
      'media',
      'people',
      'system',
      'backup',
    ].map((name) => [`admin-${name.replace('/', '-')}`, at(`/admin/${name}`, 'main h1')]),
  ),
  kiosk: at('/kiosk', 'body *'),
};

async function signIn(browser: Browser, url: string) {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('input[type=password]').fill(ADMIN_PASSWORD);
  await page.locator('button.primary').click();
  await page.locator('header.top').waitFor();
  const storage = await context.storageState();
  await context.close();
  return storage;
}

const HEIGHT_PX = 900;
type Signed = Awaited<ReturnType<typeof signIn>>;

async function picturePages(browser: Browser, url: string, storageState: Signed, out: string): Promise<void> {
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      const viewport = { width, height: HEIGHT_PX };
      const context = await browser.newContext({ storageState, colorScheme, locale: 'en-GB', viewport });
      const page = await context.newPage();
      for (const [name, show] of Object.entries(PAGES)) {
        await show(page, url);
        await page.waitForLoadState('networkidle', { timeout: 2000 }).catch(() => undefined); // a stream is never idle
        await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
      await context.close();
    }
  }
}

/** Each dialog is opened once, as some can be only once. */
async function pictureDialogs(browser: Browser, url: string, storageState: Signed, out: string): Promise<void> {
  for (const entry of DIALOGS) {
    const widths = entry.narrowOnly ? [NARROW_PX] : WIDTHS;
    const viewport = { width: widths.at(-1) ?? NARROW_PX, height: HEIGHT_PX };
    const context = await browser.newContext({ storageState, locale: 'en-GB', reducedMotion: 'reduce', viewport });
    const page = await context.newPage();
    await openDialog(page, url, entry);
    for (const width of widths) {
      await page.setViewportSize({ width, height: HEIGHT_PX });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        await settled(page);
        await page.screenshot({ path: join(out, `dialog-${entry.name}-${width}-${colorScheme}.png`) });
      }
    }
    await context.close();
  }
}

const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
if (values.help) console.log(USAGE);
else {
  const out = positionals[0] ?? join(import.meta.dirname, '..', 'dist', 'screenshots');
  mkdirSync(out, { recursive: true });
  const box = await startLocalAppliance({ things: SAMPLE_THINGS });
  const emptyOut = await furnish(box);
  const browser = await launchChromium();
  try {
    const gate = await browser.newPage();
    await gate.goto(box.url);
    await gate.locator('input[type=password]').waitFor();
    await gate.screenshot({ path: join(out, 'sign-in.png') });
    await gate.close();
    const storageState = await signIn(browser, box.url);
    await picturePages(browser, box.url, storageState, out);
    await pictureDialogs(browser, box.url, storageState, out);
    console.log(`pictures are in ${out}`);
  } finally {
    await browser.close();
    await emptyOut();
    await box.stop();
  }
}
