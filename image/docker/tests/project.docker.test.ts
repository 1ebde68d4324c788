import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeProject } from '../../../tools/new/main.ts';
import { type ContainerAppliance, startContainers } from './appliance.ts';
import { hygieneFaults, processFaults } from './hygiene.ts';

const SERVICE = 'airing';
const root = join(import.meta.dirname, '..', '..', '..');
const containers = inject('containers');

/** A service on its way out, or in, of the box's list. */
const APPEARS_WITHIN_MS = 2000;

describe.skipIf(!containers)("a maker's own project", () => {
  let folder: string;
  let ledge: ContainerAppliance;

  beforeAll(async () => {
    if (!containers) return;
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'ledge-makers-'));
    const project = makeProject(join(folder, 'ledge-test-garden'), { service: SERVICE });
    const program = join(root, 'image/docker/main.ts');
    const environment = { ...process.env, DOCKER_HOST: containers.host };
    const { stdout } = await promisify(execFile)(process.execPath, [program, '--project', project, '--out', join(folder, 'out')], {
      env: environment,
    });
    console.log(stdout);
    ledge = await startContainers(containers, {}, [join(project, 'docker-compose.yml')]);
  });
  afterAll(async () => {
    const images = ['', '-media', '-mosquitto'].flatMap((suffix) => ['latest', '0.1.0'].map((tag) => `ledge-test-garden${suffix}:${tag}`));
    await ledge?.stop();
    await ledge?.docker('image', 'rm', '--force', ...images);
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
