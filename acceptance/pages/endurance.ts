import type { CDPSession, Page } from 'playwright-core';
import { launchChromium } from '../../webui/tests/browser.ts';
import type { Appliance } from '../appliance.ts';
import { ADMIN_PASSWORD, startLocalAppliance } from '../local-appliance.ts';

/** So many things, each with one number that changes ten times a second. */
export const THINGS = 200;
export const PER_SECOND = 10;
const MIB = 1024 * 1024;

export const busyThings = (): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: THINGS }, (_, i) => [
      `busy-${String(i).padStart(3, '0')}.yaml`,
      `name: Busy ${i}
driver: simulated
room: Room ${i % 10}
sample: { every: ${1000 / PER_SECOND}ms }
properties:
  level: { name: Level, datatype: float, unit: '%', source: { wave: walk, low: 0, high: 100, step: 2 }, history: false }
`,
    ]),
  );

/** A box with {@link THINGS} busy things, and its dashboard in a page. */
export async function busyDashboard(): Promise<{ box: Appliance; page: Page; close: () => Promise<void> }> {
  const box = await startLocalAppliance({ things: busyThings() });
  const browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const close = async () => {
    await browser.close();
    await box.stop();
  };
  try {
    await page.goto(box.url);
    await page.locator('input[type=password]').fill(ADMIN_PASSWORD);
    await page.locator('button.primary').click();
    await page.getByText(`Busy ${THINGS - 1}`, { exact: true }).waitFor({ state: 'attached', timeout: 60_000 });
    return { box, page, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How long tasks of the page's main thread lasted that were longer than 50 ms (W3C Long Tasks), within so much time. */
export async function longTasksMs(page: Page, durationMs: number): Promise<number[]> {
  return await page.evaluate(
    (ms) =>
      new Promise<number[]>((resolve) => {
        const tasks: number[] = [];
        const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
        observer.observe({ type: 'longtask' as 'mark' }); // not in TypeScript's list of entry types
        setTimeout(() => {
          observer.disconnect();
          resolve(tasks);
        }, ms);
      }),
    durationMs,
  );
}

async function heapBytes(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  return usedSize;
}

/** How fast the heap grows after garbage was collected: the slope of a line through several looks, in MiB per hour. */
export async function heapGrowthMibPerHour(page: Page, durationMs: number, looks: number): Promise<number> {
  const cdp = await page.context().newCDPSession(page);
  const seen: { ms: number; bytes: number }[] = [];
  for (let i = 0; i < looks; i++) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, durationMs / (looks - 1)));
    seen.push({ ms: performance.now(), bytes: await heapBytes(cdp) });
  }
  await cdp.detach();
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [atMs, atBytes] = [mean(seen.map(({ ms }) => ms)), mean(seen.map(({ bytes }) => bytes))];
  const over = seen.reduce((sum, { ms, bytes }) => sum + (ms - atMs) * (bytes - atBytes), 0);
  const under = seen.reduce((sum, { ms }) => sum + (ms - atMs) ** 2, 0);
  return ((over / under) * 3_600_000) / MIB;
}
