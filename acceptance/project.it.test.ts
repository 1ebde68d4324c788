import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceView } from '@ledge/contract';
import { until } from '@ledge/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Appliance, SERVICES } from './appliance.ts';
import { startLocalAppliance } from './local-appliance.ts';
import { type ByHand, ServiceByHand, serviceSource } from './service-by-hand.ts';

/** From nothing to a service of one's own on the page. */
const STARTED_WITHIN_MS = 60_000;
/** A change of what runs, from the moment it happens until it is seen everywhere. */
const SEEN_WITHIN_MS = 2000;
/** A change of a source: built, stopped, started. */
const TAKEN_OVER_WITHIN_MS = 10_000;
const root = join(import.meta.dirname, '..');

let folder: string;
let project: string;
let ledge: Appliance;
const report: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledge-project-'));
  project = join(folder, 'garden');
});
afterAll(async () => {
  await ledge?.stop();
  rmSync(folder, { recursive: true, force: true });
  console.log(`project: ${report.join(', ')}`);
});

const serviceOf = async (name: string): Promise<ServiceView | undefined> =>
  (await ledge.services()).find((service) => service.name === name);
const documented = async (path: string) =>
  path in (await ledge.api<{ paths: Record<string, unknown> }>('GET', '/api/openapi.json')).body.paths;
const answer = async (path: string) => {
  const { status, body } = await ledge.api<{ value?: unknown }>('GET', path);
  return status === 200 ? body.value : `status ${status}`;
};
const ready = async (name: string, path: string) => (await serviceOf(name))?.state === 'ready' && (await documented(path));
const gone = async (name: string, path: string) =>
  (await serviceOf(name)) === undefined && !(await documented(path)) && (await answer(path)) === 'status 404';

/** How long it took; the sum of the steps is printed at the end. */
async function timed(what: string, withinMs: number, sinceMs: number, ask: () => Promise<unknown>): Promise<void> {
  await until(what, async () => Boolean(await ask()), withinMs * 5);
  const ms = Math.round(performance.now() - sinceMs);
  report.push(`${what} ${ms} ms`);
  expect(ms, what).toBeLessThan(withinMs);
}

describe('a project of one’s own', () => {
  test('from nothing to its service on the box: 0 edits in the framework, within a minute', { timeout: 180_000 }, async () => {
    const startMs = performance.now();
    const made = spawnSync(join(root, 'build.sh'), ['new', 'garden', '--service', 'airing', '--driver', 'wifi-level'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(made.stderr).toBe('');
    expect(made.stdout).toContain('cd garden');
    ledge = await startLocalAppliance({ command: [join(project, 'build.sh'), 'start'], dataDir: join(project, 'data') });
    await timed('new, start, registered, routed, documented', STARTED_WITHIN_MS, startMs, async () => {
      const answered = await ledge.api<{ value: number | null; unit: string }>('GET', '/api/airing/hottest');
      return answered.status === 200 && typeof answered.body.value === 'number' && (await ready('airing', '/api/airing/hottest'));
    });
    expect(await serviceOf('airing')).toMatchObject({
      tiles: [{ title: 'Hottest', path: 'hottest' }],
      controllable: true,
      restarts: 0,
    });
    expect((await ledge.services()).map(({ name }) => name).sort()).toEqual([...SERVICES, 'airing'].sort());
    // its thing is there, and its driver is one of the device service's
    expect((await ledge.api<{ id: string }[]>('GET', '/api/device/things')).body.map(({ id }) => id)).toContain('greenhouse');
    expect((await ledge.api<{ name: string }[]>('GET', '/api/device/drivers')).body.map(({ name }) => name)).toContain('wifi-level');
    expect((await ledge.api('GET', '/api/airing/settings')).body).toMatchObject({ values: { limit: 28 } });
  });

  test('a change of its source is taken over, and nothing else starts again', async () => {
    const pids = async () => Object.fromEntries((await ledge.services()).map(({ name, pid }) => [name, pid]));
    const { airing: before, ...others } = await pids();
    const file = join(project, 'services/airing/service.ts');
    const startMs = performance.now();
    writeFileSync(file, readFileSync(file, 'utf8').replace("version: '1.0.0'", "version: '1.1.0'"));
    await timed('change of a source', TAKEN_OVER_WITHIN_MS, startMs, async () => {
      const service = await serviceOf('airing');
      return service?.version === '1.1.0' && service.state === 'ready';
    });
    const { airing: after, ...same } = await pids();
    expect(same).toEqual(others);
    expect(after).not.toBe(before);
  });

  test('a mistake in it is told, and what ran goes on', async () => {
    const file = join(project, 'services/airing/service.ts');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text}}`);
    await until('the sentence', () => ledge.log.some((line) => /project: services\/airing\/service\.ts:\d+: /.test(line)));
    expect(await serviceOf('airing')).toMatchObject({ version: '1.1.0', state: 'ready' });
    writeFileSync(file, text);
  });

  test('a service folder that is added appears, and goes when it is removed', async () => {
    const dir = join(project, 'services/rain');
    const addedMs = performance.now();
    mkdirSync(dir);
    writeFileSync(join(dir, 'service.ts'), serviceSource('rain', 'hello'));
    await timed('service added', TAKEN_OVER_WITHIN_MS, addedMs, () => ready('rain', '/api/rain/say'));
    expect(await answer('/api/rain/say')).toBe('hello');
    const removedMs = performance.now();
    rmSync(dir, { recursive: true });
    await timed('service removed', TAKEN_OVER_WITHIN_MS, removedMs, () => gone('rain', '/api/rain/say'));
  });

  test('a thing that is added to it is laid, and one that a person changed stays', async () => {
    const thing = (id: string) => ledge.api<{ name: string }>('GET', `/api/device/things/${id}`);
    writeFileSync(
      join(project, 'things/shed.yaml'),
      'name: Shed\ndriver: simulated\nproperties:\n  door: { datatype: boolean, settable: true }\n',
    );
    await until('the thing', async () => (await thing('shed')).status === 200);
    await ledge.dropThing('shed.yaml', 'name: My shed\ndriver: simulated\nproperties:\n  door: { datatype: boolean, settable: true }\n');
    await until('the change', async () => (await thing('shed')).body.name === 'My shed');
    writeFileSync(join(project, 'things/shed.yaml'), 'name: Another shed\ndriver: simulated\nproperties:\n  door: { datatype: boolean }\n');
    await until('the warning', () => ledge.log.some((line) => /was not laid/.test(line) && line.includes('shed.yaml')));
    expect((await thing('shed')).body.name).toBe('My shed');
  });

  test('killed, its state is seen, and it is back', async () => {
    const pid = (await serviceOf('airing'))?.pid ?? 0;
    const killedMs = performance.now();
    process.kill(pid, 'SIGKILL');
    const states = new Set<string>();
    await until('another process', async () => {
      const service = await serviceOf('airing');
      states.add(service?.state ?? 'none');
      return service?.state === 'ready' && service.pid !== pid && service.pid !== undefined;
    });
    report.push(`killed and back ${Math.round(performance.now() - killedMs)} ms`);
    expect([...states].filter((state) => state !== 'ready').length, [...states].join()).toBeGreaterThan(0);
  });

  test('its own tests pass', { timeout: 180_000 }, () => {
    const { status, stdout, stderr } = spawnSync(join(project, 'build.sh'), ['test'], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toMatch(/ok {3}types\nok {3}tests/);
    expect(status).toBe(0);
  });
});

describe('a service that somebody starts by hand beside the box', () => {
  const chime = new ServiceByHand();
  beforeAll(() => chime.build());
  afterEach(() => chime.stopAll());
  afterAll(() => chime.remove());

  /** From the moment at which it says itself that it is ready. */
  const appears = async (started: ByHand, version: string) => {
    await started.ready();
    await timed(`chime ${version} appears`, SEEN_WITHIN_MS, performance.now(), async () => {
      return (await serviceOf('chime'))?.version === version && (await ready('chime', '/api/chime/say'));
    });
    expect(await answer('/api/chime/say')).toBe(`chime ${version}`);
  };

  test('appears, is upgraded, and goes', async () => {
    const first = chime.start(ledge, '1.0.0');
    await appears(first, '1.0.0');
    expect(await serviceOf('chime')).toMatchObject({ controllable: false, tiles: [{ title: 'Word' }] });
    await first.stop();
    const second = chime.start(ledge, '2.0.0');
    await appears(second, '2.0.0');
    await second.stop();
    await timed('chime goes', SEEN_WITHIN_MS, performance.now(), () => gone('chime', '/api/chime/say'));
  });

  test('killed, it is shown as lost, and starts again', async () => {
    const first = chime.start(ledge, '1.0.0');
    await appears(first, '1.0.0');
    await first.stop('SIGKILL');
    await timed('chime is lost', SEEN_WITHIN_MS, performance.now(), async () => (await serviceOf('chime'))?.state === 'lost');
    expect(await answer('/api/chime/say')).toBe('status 502');
    await appears(chime.start(ledge, '1.0.0'), '1.0.0');
  });

  test.each(['beside it', 'on a port', 'elsewhere'])(
    'a second one %s is refused with a reason, and the first is not disturbed',
    async (where) => {
      const first = chime.start(ledge, '1.0.0');
      await appears(first, '1.0.0');
      const instance = (await serviceOf('chime'))?.instance;
      const second = chime.start(
        ledge,
        '2.0.0',
        where === 'elsewhere' ? elsewhere() : where === 'on a port' ? { EDGE_LISTEN: '127.0.0.1:0' } : {},
      );
      const [code] = await once(second.process, 'exit');
      expect(code).toBe(1);
      expect(second.said).toMatch(/chime is already running(: process \d+ on | at unix:)/);
      expect(await serviceOf('chime')).toMatchObject({ version: '1.0.0', state: 'ready', instance });
    },
  );

  /** All that another machine would be given: the box's id, and the service's password. */
  function elsewhere(): Record<string, string> {
    const data = join(folder, 'elsewhere');
    mkdirSync(join(data, 'secrets/mqtt'), { recursive: true });
    writeFileSync(join(data, 'secrets/mqtt/chime'), readFileSync(join(ledge.dataDir, 'secrets/mqtt/chime')));
    return { EDGE_DATA: data, EDGE_ID: ledge.edge };
  }
});
