import { freePort } from '@ledge/testing';
import lighthouse from 'lighthouse';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../webui/tests/browser.ts';
import type { Appliance } from '../appliance.ts';
import { ADMIN_PASSWORD, startLocalAppliance } from '../local-appliance.ts';
import { SAMPLE_THINGS } from '../sample-things.ts';

const CATEGORIES = ['performance', 'accessibility', 'best-practices'] as const;
const WANTED = 95;

let box: Appliance;
let browser: Browser;
let debuggingPort: number;
let cookie: string;

beforeAll(async () => {
  box = await startLocalAppliance({ things: SAMPLE_THINGS });
  const login = await fetch(`${box.url}/api/server/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: box.url },
    body: JSON.stringify({ name: 'admin', password: ADMIN_PASSWORD }),
  });
  cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  debuggingPort = await freePort();
  browser = await launchChromium([`--remote-debugging-port=${debuggingPort}`]);
});
afterAll(async () => {
  await browser?.close();
  await box?.stop();
});

/** Lighthouse's mobile preset: a slow phone on slow 4G, simulated. */
async function scores(path: string): Promise<{ scores: Record<string, number>; faults: string[] }> {
  const result = await lighthouse(`${box.url}${path}`, {
    port: debuggingPort,
    onlyCategories: [...CATEGORIES],
    extraHeaders: { Cookie: cookie },
    maxWaitForLoad: 20_000,
    logLevel: 'error',
  });
  if (!result) throw new Error('lighthouse gave no result');
  const { categories, audits } = result.lhr;
  const faults = Object.values(categories).flatMap(({ auditRefs }) =>
    auditRefs.flatMap(({ id, weight }) => {
      const audit = audits[id];
      return audit && weight > 0 && audit.score !== null && audit.score < 0.9 ? [`${id} ${audit.displayValue ?? ''}`.trim()] : [];
    }),
  );
  return { scores: Object.fromEntries(CATEGORIES.map((name) => [name, Math.round((categories[name]?.score ?? 0) * 100)])), faults };
}

test.each(['/', '/admin/services'])(
  `Lighthouse gives %s ${WANTED} or more in ${CATEGORIES.join(', ')}`,
  { timeout: 180_000 },
  async (path) => {
    const seen = await scores(path);
    console.log(`Lighthouse, mobile, ${path}: ${JSON.stringify(seen)}`);
    for (const name of CATEGORIES)
      expect({ [name]: seen.scores[name], faults: seen.faults }).toEqual({
        [name]: expect.toSatisfy((n: number) => n >= WANTED),
        faults: seen.faults,
      });
  },
);
