/** For tests: the pages in a real browser, over a real box. */
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Appliance } from '../../acceptance/appliance.ts';
import { ADMIN_PASSWORD, startLocalAppliance } from '../../acceptance/local-appliance.ts';
import { axeFindings, complaintsOf, launchChromium } from './browser.ts';

const WIDTHS = [360, 1440] as const;

export interface RealBox extends AsyncDisposable {
  readonly appliance: Appliance;
  /** A page of a browser where the admin is signed in, at a path. What it complains about fails {@link RealBox.noComplaints}. */
  open(path: string, options?: Parameters<Browser['newContext']>[0]): Promise<Page>;
  /** Nothing that the page's own code did wrong, and nothing that the content security policy forbids. */
  noComplaints(): void;
}

/** Starts a box, and a browser for its pages. `dist/` must have been made. */
export async function startRealBox(environment: Record<string, string> = {}): Promise<RealBox> {
  const appliance = await startLocalAppliance({ environment });
  const browser = await launchChromium();
  const contexts: BrowserContext[] = [];
  const complaints: string[][] = [];
  return {
    appliance,
    async open(path, options) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
      contexts.push(context);
      const page = await context.newPage();
      complaints.push(complaintsOf(page));
      await page.goto(appliance.url + path);
      await signIn(page);
      return page;
    },
    noComplaints: () => expect(complaints.flat()).toEqual([]),
    async [Symbol.asyncDispose]() {
      await Promise.all(contexts.map((context) => context.close()));
      await browser.close();
      await appliance.stop();
    },
  };
}

export async function signIn(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Password' }).fill(ADMIN_PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Admin pages' }).waitFor();
}

/** Anybody can use it, on a phone and on a desk, light and dark, and nothing sticks out. `LEDGE_SCREENSHOTS=<folder>` keeps pictures. */
export async function fitsEverybody(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await axeFindings(page), `${width} px ${colorScheme}`).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const folder = process.env.LEDGE_SCREENSHOTS;
      if (folder) await page.screenshot({ path: join(folder, `admin-${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}
