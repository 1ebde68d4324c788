import { constants } from 'node:os';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SERVICES } from '../../../acceptance/appliance.ts';
import { type ContainerAppliance, startContainers } from './appliance.ts';

const STOPPED_WITHIN_MS = 5000;
const containers = inject('containers');
type Machine = { machine: string; can: string[]; timeZone: string; version: string };

describe.skipIf(!containers)('a box of containers', () => {
  let ledge: ContainerAppliance;
  beforeAll(async () => {
    if (containers) ledge = await startContainers(containers);
  });
  afterAll(() => ledge?.stop());

  test('says what it is, and offers nothing that a container cannot do', async () => {
    const { body } = await ledge.api<Machine>('GET', '/api/server/machine');
    expect(body).toMatchObject({ machine: 'docker', can: [], timeZone: 'UTC' });
    expect((await ledge.api('POST', '/api/server/machine/reboot')).body).toMatchObject({ code: 'not-supported' });
    expect((await ledge.services()).filter(({ controllable }) => controllable)).toEqual([]);
    const restart = await ledge.api('POST', '/api/server/services/media/restart');
    expect(restart.body).toMatchObject({ code: 'not-supported', detail: expect.stringContaining('docker-compose restart media') });
    expect((await ledge.api('GET', '/api/server/logs')).body).toMatchObject({ code: 'not-supported' });
    const doctor = await ledge.api<{ state: string; checks: { state: string }[] }>('GET', '/api/server/doctor');
    expect(doctor.body.checks.filter(({ state }) => state === 'fault')).toEqual([]);
    const command = ['exec', await ledge.containerOf('server'), 'node', '/usr/lib/ledge/cli.mjs'];
    expect(await ledge.docker(...command, 'version')).toContain(body.version);
    await ledge.docker(...command, 'doctor');
  });

  test('makes its secrets at the first start, for nobody else to read', async () => {
    const script = `
      const { readdirSync, statSync } = require('node:fs');
      const folder = '/var/lib/ledge/secrets';
      for (const name of readdirSync(folder, { recursive: true })) {
        const { mode, uid } = statSync(folder + '/' + name);
        console.log(name, (mode & 0o007).toString(8), uid === process.getuid());
      }`;
    const lines = (await ledge.exec('server', script)).split('\n').sort();
    expect(lines).toEqual(expect.arrayContaining(['gateway 0 true', ...SERVICES.map((name) => `mqtt/${name} 0 true`)]));
    expect(lines.filter((line) => !line.endsWith(' 0 true'))).toEqual([]);
  });

  test('can write to its volumes and a small /tmp, and nowhere else', async () => {
    const script = `
      const { rmSync, writeFileSync } = require('node:fs');
      for (const folder of ['/', '/etc', '/usr/lib/ledge', '/root', '/dev', '/var/lib/ledge', '/run/ledge', '/tmp'])
        try { writeFileSync(folder + '/probe', ''); rmSync(folder + '/probe'); console.log(folder); } catch {}`;
    expect((await ledge.exec('device', script)).split('\n')).toEqual(['/var/lib/ledge', '/run/ledge', '/tmp']);
  });

  test('each says that it is healthy, in the words of the engine', async () => {
    for (const service of SERVICES) {
      const command = JSON.parse(
        await ledge.docker('inspect', '--format', '{{json .Config.Healthcheck.Test}}', await ledge.containerOf(service)),
      );
      expect(command).toEqual(['CMD', '/usr/bin/node', '/usr/lib/ledge/health.mjs']);
      await ledge.docker('exec', await ledge.containerOf(service), ...command.slice(1));
    }
  });

  test('a frozen service is told by the health check, and ended at the third time, so that the engine starts it again', async () => {
    const container = await ledge.containerOf('media');
    const check = () => ledge.docker('exec', container, '/usr/bin/node', '/usr/lib/ledge/health.mjs');
    await check();
    const pid = await ledge.pidOf('media');
    process.kill(pid, 'SIGSTOP');
    for (let time = 0; time < 3; time++) {
      expect(await ledge.pidOf('media')).toBe(pid);
      await expect(check()).rejects.toThrow(time < 2 ? 'media does not answer' : '');
    }
    await until('another process', async () => (await ledge.pidOf('media')) !== pid);
    await until('it to be well', () => check().then(() => true));
  });

  test('a second container of the same service is refused in words, and the first goes on', async () => {
    await expect(ledge.compose('run', '--rm', '--no-deps', '-T', 'media')).rejects.toThrow(/already-running|already serves|runs already/i);
    expect((await ledge.inspect('media')).State.Running).toBe(true);
  });

  test.each(SERVICES)('%s stops in good order within 5 s', async (service) => {
    const container = await ledge.containerOf(service);
    await until(`${service} to be ready`, async () => (await ledge.inspect(service)).State.Running);
    const startMs = performance.now();
    await ledge.docker('stop', container);
    const tookMs = performance.now() - startMs;
    console.log(`${service} stopped within ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(STOPPED_WITHIN_MS);
    expect((await ledge.inspect(service)).State).toMatchObject({ ExitCode: 0, OOMKilled: false });
  });

  test.each(SERVICES)('%s stops in good order also right after its start', async (service) => {
    const container = await ledge.containerOf(service);
    await ledge.docker('start', container);
    const startMs = performance.now();
    await ledge.docker('stop', container);
    expect(performance.now() - startMs).toBeLessThan(STOPPED_WITHIN_MS);
    // by itself, or by the signal before it could listen to any
    expect([0, 128 + constants.signals.SIGTERM]).toContain((await ledge.inspect(service)).State.ExitCode);
  });
});
