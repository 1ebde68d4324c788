import type { Driver, DriverEnvironment, Suggestion } from '@ledge/sdk';

const FOUND_WITHIN_MS = 2000;
const MOST_FOUND = 50;

/** A driver as the page that adds things needs it: can it be used here, how does a thing begin, and what is plugged in. */
export async function driverView(driver: Driver, environment: DriverEnvironment) {
  const { name, summary, example, template = example } = driver;
  const why = await driver.unavailable(environment).catch((error: Error) => error.message);
  const found = why === undefined ? await findThings(driver, environment) : [];
  return { name, summary, available: why === undefined, ...(why === undefined ? {} : { why }), example, template, found };
}

/** Suggestions are a help: a driver that fails or is slow in finding them has none. */
async function findThings(driver: Driver, environment: DriverEnvironment): Promise<Suggestion[]> {
  const { clock, log } = environment;
  const timeIsOver = new AbortController();
  try {
    const late = clock.sleep(FOUND_WITHIN_MS, timeIsOver.signal).then(() => []);
    const found = await Promise.race([driver.found?.(environment) ?? [], late]);
    return found.slice(0, MOST_FOUND);
  } catch (error) {
    log.warn({ driver: driver.name, err: error }, 'looking for things failed');
    return [];
  } finally {
    timeIsOver.abort();
  }
}
