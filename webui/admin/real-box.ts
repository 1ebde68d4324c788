/** For tests: the pages in a real browser, over a real box. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { expect } from 'vitest';
import { ADMIN_PASSWORD, type Appliance, startAppliance } from '../../acceptance/appliance.ts';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const WIDTHS = [360, 1440] as const;

export interface RealBox extends AsyncDisposable {
  readonly appliance: Appliance;
  /** A page of a browser where the admin is signed in, at a path. What it complains about fails {@link RealBox.noComplaints}. */
  open(path: string, options?: Parameters<Browser['newContext']>[0]): Promise<Page>;
  /** Nothing that the page's own code did wrong, and nothing that the content security policy forbids. */
  noComplaints(): void;
}

/** Builds the pages, starts a box that hands them out, and a browser. `dist/` must have been made. */
export async function startRealBox(environment: Record<string, string> = {}): Promise<RealBox> {
  const webui = mkdtempSync(join(tmpdir(), 'ledge-webui-'));
  const root = join(import.meta.dirname, '..');
  await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'silent', build: { outDir: webui } });
  const appliance = await startAppliance({ environment: { EDGE_WEBUI: webui, ...environment } });
  const executablePath = NAMES.flatMap((name) => ['/usr/bin', '/usr/local/bin'].map((dir) => join(dir, name))).find(existsSync);
  if (!executablePath) throw new Error(`no Chromium; one of ${NAMES.join(', ')} is wanted`);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  return {
    appliance,
    async open(path, options) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
      contexts.push(context);
      const page = await context.newPage();
      page.on('console', (message) => {
        // a refused request is written there by the browser itself
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(appliance.url + path);
      await signIn(page);
      return page;
    },
    noComplaints: () => expect(complaints).toEqual([]),
    async [Symbol.asyncDispose]() {
      await Promise.all(contexts.map((context) => context.close()));
      await browser.close();
      await appliance.stop();
      rmSync(webui, { recursive: true, force: true });
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
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${width} ${colorScheme} ${id}: ${nodes.map((n) => n.html).join(' | ')}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const folder = process.env.LEDGE_SCREENSHOTS;
      if (folder) await page.screenshot({ path: join(folder, `admin-${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}
