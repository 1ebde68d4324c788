import { join } from 'node:path';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SERVICES } from '../../../acceptance/appliance.ts';
import { killHere } from '../../../acceptance/local-appliance.ts';
import { CLOCK_THING, everythingRight, WATCHER } from '../../../acceptance/right.ts';
import { type ContainerAppliance, FILES, startContainers } from './appliance.ts';
import { hygieneFaults, processFaults } from './hygiene.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const RIGHT_AGAIN_WITHIN_MS = 10_000;
const containers = inject('containers');

describe.skipIf(!containers)('with mosquitto as broker', () => {
  let ledge: ContainerAppliance;
  const mosquitto = () => until('mosquitto', async () => ledge.childOf(await ledge.pidOf('broker'), 'mosquitto'));
  beforeAll(async () => {
    if (!containers) return;
    ledge = await startContainers(
      containers,
      { things: CLOCK_THING },
      FILES.mosquitto.map((file) => join(root, file)),
    );
    await ledge.addMqttUser(WATCHER.name, WATCHER.password, [{ filter: '#', access: 'both' }]);
  });
  afterAll(() => ledge?.stop());

  test('it runs as a child of our broker service, and everything is right', async () => {
    expect(await mosquitto()).toBeGreaterThan(0);
    await until('everything to be right', () => everythingRight(ledge), 30_000);
  });

  test.each(SERVICES)('%s is shut in as with our own broker', async (service) => {
    expect(hygieneFaults(await ledge.inspect(service))).toEqual([]);
    expect(processFaults(await ledge.exec(service, "console.log(require('node:fs').readFileSync('/proc/1/status', 'utf8'))"))).toEqual([]);
  });

  test('mosquitto itself is killed: all is right again within 10 s', async () => {
    const pid = await mosquitto();
    const sinceMs = performance.now();
    killHere(pid);
    await until('another mosquitto', async () => (await mosquitto()) !== pid);
    await until('everything to be right again', () => everythingRight(ledge), 60_000);
    const tookMs = performance.now() - sinceMs;
    console.log(`mosquitto was killed: all right after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(RIGHT_AGAIN_WITHIN_MS);
  });

  test('its container is killed, and started', async () => {
    const sinceMs = performance.now();
    await ledge.kill('broker');
    await until('everything to be right again', () => everythingRight(ledge), 60_000);
    const tookMs = performance.now() - sinceMs;
    console.log(`docker kill of the broker with mosquitto: all right after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(RIGHT_AGAIN_WITHIN_MS);
  });
});
