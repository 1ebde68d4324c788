import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Appliance } from '../../acceptance/appliance.ts';
import { ADMIN_PASSWORD, type ApplianceOptions, startLocalAppliance } from '../../acceptance/local-appliance.ts';
import { axeFindings, closeContext, complaintsOf, launchChromium, settled } from './browser.ts';

const SIZES = [
  { width: 360, height: 780 },
  { width: 1440, height: 900 },
];

/** One real box (`dist/`, which the suite builds first) for the tests of a file, and for each of them a browser in which its admin is signed in. */
export class RealPages {
  box!: Appliance;
  page!: Page;
  readonly #contexts: BrowserContext[] = [];
  readonly #complaints: string[][] = [];
  #browser!: Browser;

  constructor(options: ApplianceOptions = {}) {
    beforeAll(async () => {
      this.box = await startLocalAppliance(options);
      this.#browser = await launchChromium();
    });
    afterAll(async () => {
      await this.#browser?.close();
      await this.box?.stop();
    });
    beforeEach(async () => {
      this.page = await this.#newPage();
    });
    afterEach(async () => {
      await Promise.all(this.#contexts.splice(0).map(closeContext));
      expect(this.#complaints.splice(0).flat()).toEqual([]);
    });
  }

  /** In a browser of its own, where the admin is signed in. */
  async #newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
    this.#contexts.push(context);
    const data = { name: 'admin', password: ADMIN_PASSWORD };
    await context.request.post(`${this.box.url}/api/server/login`, { data, headers: { origin: this.box.url } });
    const page = await context.newPage();
    this.#complaints.push(complaintsOf(page));
    return page;
  }

  /** The test's page at a path; with options, another browser's. */
  async open(path: string, options?: BrowserContextOptions): Promise<Page> {
    const page = options ? await this.#newPage(options) : this.page;
    await page.goto(this.box.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  /** Nothing is wider than the page and no barrier is found, on a phone and a desk, light and dark. */
  async look(): Promise<void> {
    const before = this.page.viewportSize();
    for (const size of SIZES) {
      await this.page.setViewportSize(size);
      const tooWidePx = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(tooWidePx, `at ${size.width} px`).toBeLessThanOrEqual(0);
      for (const colorScheme of ['light', 'dark'] as const) {
        await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await settled(this.page);
        expect(await axeFindings(this.page), `${size.width} px ${colorScheme}`).toEqual([]);
      }
    }
    if (before) await this.page.setViewportSize(before);
  }
}

/** Signs in with the form of a page that asks for it. */
export async function signIn(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Password' }).fill(ADMIN_PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Admin pages' }).waitFor();
}
