import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Containers } from '../../../acceptance/appliance.ts';
import { makeProject } from '../../../tools/new/main.ts';
import { run } from '../../run.ts';
import { type ContainerAppliance, startContainers } from './appliance.ts';
import { hygieneFaults, processFaults } from './hygiene.ts';

const SERVICE = 'airing';
const root = join(import.meta.dirname, '..', '..', '..');
const containers = inject('containers');

/** A service on its way out, or in, of the box's list. */
const APPEARS_WITHIN_MS = 2000;

/** The images of a project, and its containers. @param out a folder for its files */
async function startProject(engine: Containers, project: string, out: string): Promise<ContainerAppliance> {
  const program = join(root, 'image/docker/main.ts');
  const environment = { DOCKER_HOST: engine.host };
  console.log(await run(process.execPath, [program, '--project', project, '--out', out], { environment }));
  return await startContainers(engine, {}, [join(project, 'docker-compose.yml')]);
}

async function stopProject(ledge: ContainerAppliance | undefined, name: string): Promise<void> {
  const images = ['', '-media', '-mosquitto'].map((suffix) => `${name}${suffix}`);
  const ids = await Promise.all(images.map((image) => ledge?.docker('images', '--quiet', image)));
  await ledge?.stop();
  await ledge?.docker('image', 'rm', '--force', ...new Set(ids.flatMap((text) => text?.split('\n') ?? []).filter(Boolean)));
}

describe.skipIf(!containers)("a maker's own project", () => {
  let folder: string;
  let ledge: ContainerAppliance;

  beforeAll(async () => {
    if (!containers) return;
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'ledge-makers-'));
    const project = makeProject(join(folder, 'ledge-test-garden'), { service: SERVICE });
    ledge = await startProject(containers, project, join(folder, 'out'));
  });
  afterAll(async () => {
    await stopProject(ledge, 'ledge-test-garden');
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  test('has its service in a container of its own, that has registered itself, is reached through the gateway and has its tile', async () => {
    const view = await until('the service', async () =>
      (await ledge.services()).find(({ name, state }) => name === SERVICE && state === 'ready'),
    );
    expect(view.tiles).toHaveLength(1);
    expect((await ledge.api('GET', `/api/${SERVICE}/hottest`)).status).toBe(200);
    const { paths } = (await ledge.api<{ paths: object }>('GET', '/api/openapi.json')).body;
    expect(Object.keys(paths)).toContain(`/api/${SERVICE}/hottest`);
  });

  test('has its things, and its service commands them', async () => {
    await until('the fan', async () => {
      const { body } = await ledge.api<{ properties: { property: string; value: unknown }[] }>('GET', '/api/device/things/greenhouse');
      return body.properties?.some(({ property, value }) => property === 'fan' && value !== null);
    });
    await until(
      'a temperature',
      async () => ((await ledge.api<{ value: number | null }>('GET', `/api/${SERVICE}/hottest`)).body.value ?? 0) > 0,
    );
  });

  test('is shut in as ours are', async () => {
    const [facts] = JSON.parse(await ledge.docker('inspect', await ledge.containerOf(SERVICE)));
    expect(hygieneFaults(facts)).toEqual([]);
    expect(processFaults(await ledge.exec(SERVICE, "console.log(require('node:fs').readFileSync('/proc/1/status', 'utf8'))"))).toEqual([]);
  });

  test('its service comes and goes without a restart of anything of ours', async () => {
    const there = async () => (await ledge.services()).some(({ name }) => name === SERVICE);
    await ledge.docker('stop', await ledge.containerOf(SERVICE));
    const goneMs = performance.now();
    await until('it to be gone', async () => !(await there()));
    expect(performance.now() - goneMs).toBeLessThan(APPEARS_WITHIN_MS);
    await ledge.docker('start', await ledge.containerOf(SERVICE));
    await until('it to be there again', there);
  });
});

describe.skipIf(!containers)('the example project, in containers', () => {
  let folder: string;
  let ledge: ContainerAppliance;
  beforeAll(async () => {
    if (!containers) return;
    folder = mkdtempSync(join(tmpdir(), 'ledge-example-'));
    ledge = await startProject(containers, join(root, 'examples', 'weather-station'), folder);
  });
  afterAll(async () => {
    await stopProject(ledge, 'weather-station');
    if (folder) rmSync(folder, { recursive: true, force: true });
  });
  const shown = async (thing: string, property: string) => {
    const { body } = await ledge.api<{ properties?: { property: string; value: unknown }[] }>('GET', `/api/device/things/${thing}`);
    return body.properties?.find((one) => one.property === property)?.value;
  };
  const set = (path: string, value: unknown) =>
    until(path, async () => (await ledge.api('PUT', `/api/device/things/${path}`, { value })).status === 200);

  test('has its service, its driver, its things and its settings', async () => {
    const view = await until('irrigation', async () =>
      (await ledge.services()).find(({ name, state }) => name === 'irrigation' && state === 'ready'),
    );
    expect(view.tiles).toHaveLength(1);
    const { body: drivers } = await ledge.api<{ name: string }[]>('GET', '/api/device/drivers');
    expect(drivers.map(({ name }) => name)).toContain('rain-gauge');
    for (const thing of ['rain', 'soil', 'valve', 'weather'])
      await until(thing, async () => (await ledge.api('GET', `/api/device/things/${thing}`)).status === 200);
    const { body } = await ledge.api<{ sources: object }>('GET', '/api/irrigation/settings');
    expect(body.sources).toMatchObject({ longestMin: 'project' });
  });

  test('dry soil opens the valve, and rain closes it', async () => {
    await set('soil/main/moisture', 20);
    await until('the valve to open', async () => (await shown('valve', 'open')) === true, 30_000);
    await set('rain/main/cloudburst', true);
    await until('the valve to close', async () => (await shown('valve', 'open')) === false, 30_000);
  });
});
