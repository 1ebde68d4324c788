import type { RestoreView } from '@ledge/contract';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { allWell } from '../../../acceptance/appliance.ts';
import { CLOCK_THING } from '../../../acceptance/right.ts';
import { type ContainerAppliance, startContainers } from './appliance.ts';

const containers = inject('containers');

describe.skipIf(!containers)('a backup of containers', () => {
  let ledge: ContainerAppliance;
  const things = async () => (await ledge.api<{ id: string }[]>('GET', '/api/device/things')).body.map(({ id }) => id);
  const post = (path: string, body: Blob | string, type: string) =>
    fetch(`${ledge.url}/api/server${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ledge.token}`, 'content-type': type },
      body,
    });
  const handIn = async (file: Blob) => (await (await post('/backup/check', file, 'application/octet-stream')).json()) as { id: string };

  beforeAll(async () => {
    if (containers) ledge = await startContainers(containers, { things: CLOCK_THING });
  });
  afterAll(() => ledge?.stop());

  test('is put back as README.md says: while everything runs in one container', async () => {
    const backup = await (await post('/backup', '{}', 'application/json')).blob();
    expect((await ledge.api('DELETE', '/api/device/things/clock')).status).toBe(204);
    await until('the thing to be gone', async () => !(await things()).includes('clock'));
    const refused = await ledge.api('POST', `/api/server/backup/${(await handIn(backup)).id}/restore`);
    expect(refused.body).toMatchObject({ code: 'service-away', detail: expect.stringContaining('as a whole') });

    await ledge.compose('stop');
    const one = `${ledge.project}-whole`;
    await ledge.compose('run', '--detach', '--service-ports', '--name', one, '-e', 'EDGE_SERVICE=', '-e', 'EDGE_MQTT_URL=', 'server');
    await until('all services in one container', () => allWell(ledge), 60_000);
    expect((await ledge.api('POST', `/api/server/backup/${(await handIn(backup)).id}/restore`)).status).toBe(200);
    await until(
      'the restore to end',
      async () => {
        const { body } = await ledge.api<{ restore?: RestoreView }>('GET', '/api/server/backup');
        return body.restore?.state === 'done';
      },
      60_000,
    );
    await ledge.docker('rm', '--force', one);

    await ledge.compose('up', '--detach');
    await until('all services', () => allWell(ledge), 60_000);
    await until('the thing', async () => (await things()).includes('clock'));
  });
});
