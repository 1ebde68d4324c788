import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeFindings, settled } from '../../webui/tests/browser.ts';
import { RealPages } from '../../webui/tests/real-pages.ts';
import { SAMPLE_THINGS } from '../sample-things.ts';
import { DIALOGS, NARROW_PX, openDialog, topDialog } from './dialogs.ts';
import { furnish } from './furnished-box.ts';

const HEIGHT_PX = 800;
const NARROW = { width: NARROW_PX, colorScheme: 'light' } as const;
const WIDE = { width: 1440, colorScheme: 'dark' } as const;
type Look = typeof NARROW | typeof WIDE;
/** More than any dialog has places to stop at. */
const MOST_STOPS = 60;

const pages = new RealPages({ things: SAMPLE_THINGS });
let emptyOut: (() => Promise<void>) | undefined;
beforeAll(async () => {
  emptyOut = await furnish(pages.box);
});
afterAll(() => emptyOut?.());

const hasKeyboard = (target: Locator) => target.evaluate((element) => element === document.activeElement);
const holdsKeyboard = (dialog: Locator) => dialog.evaluate((element) => element.contains(document.activeElement));

/** Goes around with Tab once. The browser's own bar, for which a page has no name but its body, is one of the stops. */
async function stopsOutside(page: Page, dialog: Locator): Promise<string[]> {
  const outside: string[] = [];
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    await page.keyboard.press('Tab');
    const { text, inside, isBar, isSecondTime } = await dialog.evaluate((element) => {
      const at = document.activeElement as HTMLElement;
      const isSecondTime = at.dataset.stopped !== undefined;
      at.dataset.stopped = '';
      return { text: at.outerHTML.slice(0, 120), inside: element.contains(at), isBar: at === document.body, isSecondTime };
    });
    if (isSecondTime && inside) return outside;
    if (!inside && !isBar) outside.push(text);
  }
  throw new Error('Tab does not come around');
}

/** How much of it, or of what is in it, lies outside the window. */
const overPx = (dialog: Locator) =>
  dialog.evaluate((element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return Math.max(0, -left, -top, right - innerWidth, bottom - innerHeight, element.scrollWidth - element.clientWidth);
  });

/** Axe finds nothing, and the dialog and all that is in it fits: light where it is narrow, dark where it is wide. */
async function look(page: Page, dialog: Locator, looks: readonly Look[]): Promise<void> {
  for (const { width, colorScheme } of looks) {
    await page.setViewportSize({ width, height: HEIGHT_PX });
    await expect.poll(() => overPx(dialog), { message: `px that do not fit at ${width} px` }).toBeLessThan(1);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    expect(await axeFindings(page, 'dialog[open]'), `${width} px ${colorScheme}`).toEqual([]);
  }
}

test.each(DIALOGS)('$name has no barrier, keeps the keyboard, and gives it back', async (entry) => {
  const { page } = pages;
  const looks = entry.narrowOnly ? [NARROW] : [NARROW, WIDE];
  await page.setViewportSize({ width: looks.at(-1)?.width ?? WIDE.width, height: HEIGHT_PX });
  const opener = await openDialog(page, pages.box.url, entry);
  const dialog = topDialog(page);
  await expect.poll(() => holdsKeyboard(dialog)).toBe(true);
  await look(page, dialog, looks);
  if (entry.stays) {
    for (const _ of [1, 2, 3]) await page.keyboard.press('Escape');
    // the browser closes it at the second one, and tells the page afterwards
    await expect.poll(() => dialog.count()).toBe(1);
    return;
  }
  expect(await stopsOutside(page, dialog)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => hasKeyboard(opener)).toBe(true);
});

test('a history that is opened by its address closes, too, with nothing pressed before', async () => {
  const page = await pages.open('/history/greenhouse/main/temperature');
  await topDialog(page).waitFor();
  await page.keyboard.press('Escape');
  await topDialog(page).waitFor({ state: 'detached' });
  expect(new URL(page.url()).pathname).toBe('/');
});
