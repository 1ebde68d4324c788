import type { Locator, Page } from 'playwright-core';

/** How somebody uses a page: the same journey goes by pointer and by keyboard alone. */
export interface Hands {
  readonly by: 'pointer' | 'keyboard';
  press(target: Locator): Promise<void>;
  write(target: Locator, text: string): Promise<void>;
  /** Presses what opens the browser's own file dialog, and chooses a file there. */
  choose(page: Page, target: Locator, file: { name: string; mimeType: string; buffer: Buffer } | string): Promise<void>;
}

export const pointer: Hands = {
  by: 'pointer',
  press: (target) => target.click(),
  write: (target, text) => target.fill(text),
  async choose(page, target, file) {
    const dialog = page.waitForEvent('filechooser');
    await target.click();
    await (await dialog).setFiles(file);
  },
};

/** More than any page of ours has places to stop at. */
const MOST_STOPS = 250;

/** Goes on with Tab until the target has the keyboard. @throws Error when it cannot be reached so */
async function reach(target: Locator): Promise<void> {
  const page = target.page();
  await target.waitFor({ state: 'attached' });
  const isReached = () => target.evaluate((element) => element === document.activeElement);
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    if (await isReached()) return;
    // in an editor Tab moves a line in, and Escape lets go of it, as the words below it say
    const inEditor = await page.evaluate(() => document.activeElement?.matches('main textarea:not([readonly])') === true);
    if (inEditor) await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
  }
  throw new Error(`${target} cannot be reached with Tab`);
}

/** One of a group is reached by Tab at the one that is chosen, then by arrows (WAI-ARIA practices, radio group). */
async function reachRadio(target: Locator): Promise<void> {
  const page = target.page();
  const group = await target.getAttribute('name');
  const inGroup = () => page.evaluate((name) => (document.activeElement as HTMLInputElement | null)?.name === name, group);
  for (let stops = 0; stops < MOST_STOPS && !(await inGroup()); stops++) await page.keyboard.press('Tab');
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('ArrowDown');
  }
  throw new Error(`${target} cannot be reached with the arrow keys`);
}

export const keyboard: Hands = {
  by: 'keyboard',
  async press(target) {
    const { kind, role } = await target.evaluate((element) => ({
      kind: element instanceof HTMLInputElement ? element.type : element.tagName,
      role: element.getAttribute('role'),
    }));
    if (kind === 'radio') {
      await reachRadio(target);
      await target.page().keyboard.press('Space');
      return;
    }
    await reach(target);
    await target.page().keyboard.press(role === 'switch' || kind === 'checkbox' ? 'Space' : 'Enter');
  },
  async write(target, text) {
    await reach(target);
    const { keyboard: keys } = target.page();
    await keys.press('ControlOrMeta+A');
    if (text === '') await keys.press('Delete');
    else await keys.insertText(text);
  },
  async choose(page, target, file) {
    const dialog = page.waitForEvent('filechooser');
    await this.press(target);
    await (await dialog).setFiles(file);
  },
};
