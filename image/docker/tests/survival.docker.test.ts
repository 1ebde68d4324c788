import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SERVICES } from '../../../acceptance/appliance.ts';
import { killHere } from '../../../acceptance/local-appliance.ts';
import { CLOCK_THING, everythingRight, WATCHER } from '../../../acceptance/right.ts';
import { type ContainerAppliance, startContainers } from './appliance.ts';

const RIGHT_AGAIN_WITHIN_MS = 10_000;
/** Docker starts a container at once that lived so long before it died. */
const LIVED_MS = 10_000;
/** Younger readings may be lost with the process of the server: so much is said in README.md. */
const WRITTEN_AFTER_MS = 10_000;
const containers = inject('containers');
interface History {
  points: { time: string }[];
}

describe.skipIf(!containers)('what containers survive', () => {
  let ledge: ContainerAppliance;
  /** When the first reading of the clock was. */
  let beganMs: number;
  const rightAgain = async (what: string, sinceMs: number) => {
    await until('everything to be right again', () => everythingRight(ledge), 60_000);
    const tookMs = performance.now() - sinceMs;
    console.log(`${what}: all right after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(RIGHT_AGAIN_WITHIN_MS);
    expect(await firstReadingMs()).toBe(beganMs);
  };
  async function firstReadingMs(): Promise<number> {
    const { body } = await ledge.api<History>('GET', '/api/server/history/clock/main/tick?limit=1&from=2020-01-01T00:00:00Z');
    return Date.parse(body.points?.[0]?.time ?? '');
  }

  beforeAll(async () => {
    if (!containers) return;
    ledge = await startContainers(containers, { things: CLOCK_THING });
    await ledge.addMqttUser(WATCHER.name, WATCHER.password, [{ filter: '#', access: 'both' }]);
    await until('a good start', () => everythingRight(ledge), 30_000);
    beganMs = await until('a reading in the history', async () => (await firstReadingMs()) || undefined, 30_000);
    await until('it to be written', () => Date.now() - beganMs > 1.5 * WRITTEN_AFTER_MS, 2 * WRITTEN_AFTER_MS);
  });
  afterAll(() => ledge?.stop());

  test.each(SERVICES)('docker kill of %s, and a start', async (service) => {
    const container = await ledge.containerOf(service);
    await ledge.docker('kill', container);
    const sinceMs = performance.now();
    await ledge.docker('start', container);
    await rightAgain(`docker kill of ${service}`, sinceMs);
  });

  test.each(SERVICES)('the process of %s is killed: the engine starts it again by itself', async (service) => {
    const { StartedAt } = (await ledge.inspect(service)).State;
    await until('a life that counts', () => Date.now() - Date.parse(StartedAt) > LIVED_MS, LIVED_MS + 1000);
    const pid = await ledge.pidOf(service);
    const sinceMs = performance.now();
    killHere(pid);
    await until('another process', async () => (await ledge.pidOf(service)) !== pid);
    await rightAgain(`the process of ${service} was killed`, sinceMs);
  });

  test.skipIf(!containers?.isOurs)('the engine is restarted', async () => {
    const pidFile = join(dirname(containers?.host.replace('unix://', '') ?? ''), 'pid');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    process.kill(pid, 'SIGTERM');
    await until('the engine to end', () => !isAlive(pid), 60_000);
    const sinceMs = performance.now();
    await until('the engine', () => ledge.docker('version').then(() => true), 60_000);
    console.log(`the engine answers after ${Math.round(performance.now() - sinceMs)} ms`);
    await rightAgain('restart of the engine', sinceMs);
  });

  test('docker-compose down, and up', async () => {
    await ledge.compose('down');
    const sinceMs = performance.now();
    await ledge.compose('up', '--detach');
    await rightAgain('docker-compose up after down', sinceMs);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
