import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Appliance } from '../../acceptance/appliance.ts';
import { ADMIN_PASSWORD, type ApplianceOptions, startLocalAppliance } from '../../acceptance/local-appliance.ts';
import { axeFindings, complaintsOf, launchChromium } from './browser.ts';

const SIZES = [
  { width: 360, height: 780 },
  { width: 1440, height: 900 },
];

/** One real box (`dist/`, which the suite builds first) for the tests of a file, and for each of them a browser in which its admin is signed in. */
export class RealPages {
  box!: Appliance;
  page!: Page;
  context!: BrowserContext;
  #complaints: string[] = [];
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
      this.context = await this.#browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
      const data = { name: 'admin', password: ADMIN_PASSWORD };
      await this.context.request.post(`${this.box.url}/api/server/login`, { data, headers: { origin: this.box.url } });
      this.page = await this.context.newPage();
      this.#complaints = complaintsOf(this.page);
    });
    afterEach(async () => {
      await this.context.close();
      expect(this.#complaints).toEqual([]);
    });
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.box.url + path);
    await this.page.getByRole('heading', { level: 1 }).waitFor();
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
        // a colour on its way to another one is neither
        await this.page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
        expect(await axeFindings(this.page), `${size.width} px ${colorScheme}`).toEqual([]);
      }
    }
    if (before) await this.page.setViewportSize(before);
  }
}
