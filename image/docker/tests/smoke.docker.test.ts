import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SERVICES } from '../../../acceptance/appliance.ts';
import { MosquittoSub } from '../../../acceptance/mosquitto-client.ts';
import { type ContainerAppliance, startContainers } from './appliance.ts';
import { hygieneFaults, processFaults } from './hygiene.ts';

const containers = inject('containers');
const account = { name: 'smoke', password: 'read-only-please' };

describe.skipIf(!containers)('containers, as docker-compose up starts them', () => {
  let ledge: ContainerAppliance;
  beforeAll(async () => {
    if (containers) ledge = await startContainers(containers);
  });
  afterAll(() => ledge?.stop());

  test('the page is served', async () => {
    const response = await fetch(ledge.url);
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/<title>[^<]*Ledge/i);
  });

  test('a value of the machine comes over MQTT', async () => {
    await ledge.addMqttUser(account.name, account.password, [{ filter: `${ledge.edge}/5/#`, access: 'subscribe' }]);
    const sub = new MosquittoSub(ledge, `${ledge.edge}/5/system/#`, account);
    try {
      const value = await until('a value', () => sub.lines.find(({ topic }) => /\/5\/system\/[^$/]+\/[^$/]+$/.test(topic)), 30_000);
      console.log(`${value.topic} ${value.payload}`);
      expect(value.payload).not.toBe('');
    } finally {
      await sub.stop();
    }
  });

  test.each(SERVICES)('%s is shut in: no root, no capability, nothing to write but its volumes, no port for strangers', async (service) => {
    expect(hygieneFaults(await ledge.inspect(service))).toEqual([]);
    expect(processFaults(await ledge.exec(service, "console.log(require('node:fs').readFileSync('/proc/1/status', 'utf8'))"))).toEqual([]);
  });
});
