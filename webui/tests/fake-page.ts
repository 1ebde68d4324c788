import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics } from '@ledge/contract';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { EDGE, FakeBox } from '../fake-box.ts';
import { axeFindings, closeContext, complaintsOf, launchChromium } from './browser.ts';

export const PASSWORD = 'correct horse battery';

/** Where pictures of the pages go, to be looked at: `LEDGE_SCREENSHOTS`, or nowhere that stays. */
const pictures = process.env.LEDGE_SCREENSHOTS;
const webui = join(import.meta.dirname, '..');

/** For each test a fake box and a browser of its own that looks at it. */
export class FakePages {
  box!: FakeBox;
  page!: Page;
  context!: BrowserContext;
  complaints: string[] = [];
  readonly #dist = mkdtempSync(join(tmpdir(), 'ledge-webui-'));
  #browser!: Browser;

  constructor() {
    beforeAll(async () => {
      await build({ root: webui, configFile: join(webui, 'vite.config.ts'), logLevel: 'silent', build: { outDir: this.#dist } });
      this.#browser = await launchChromium();
    });
    afterAll(async () => {
      await this.#browser?.close();
      rmSync(this.#dist, { recursive: true, force: true });
    });
    beforeEach(async () => {
      this.box = new FakeBox(this.#dist);
      await this.box.start();
      await this.open();
    });
    afterEach(async () => {
      await closeContext(this.context);
      await this.box.stop();
    });
  }

  /** Another browser, as somebody else has it. */
  async open(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
    if (this.context) await closeContext(this.context);
    this.context = await this.#browser.newContext({ viewport: { width: 360, height: 800 }, locale: 'en-GB', ...options });
    this.page = await this.context.newPage();
    this.complaints = complaintsOf(this.page);
  }

  async signIn(path = '/'): Promise<void> {
    await this.page.goto(this.box.url + path);
    await this.page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('heading', { name: 'Things', includeHidden: true }).waitFor({ state: 'attached' });
  }

  card(name: string) {
    return this.page.getByRole('article', { name });
  }

  say(thing: string, property: string, payload: string, node = 'main'): void {
    this.box.retain(topics.property(EDGE, { thing, node, property }), payload);
  }

  async noBarriers(): Promise<void> {
    expect(await axeFindings(this.page)).toEqual([]);
  }

  /** Nothing is wider than the page, no barrier is found, and a picture is kept where pictures are wanted. */
  async look(name: string): Promise<void> {
    expect(await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await this.noBarriers();
    if (!pictures) return;
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }
}
