import { spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeTexts } from './lay.ts';
import { type ProjectParts, projectUnits, userIdOf } from './units.ts';

const root = join(import.meta.dirname, '..', '..');
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const asRoot = process.getuid?.() === 0;

/** Worst is 10; our own services are at 1.0 to 1.3. */
const EXPOSURE_LIMIT = 2;
const project: ProjectParts = {
  name: 'weather-station',
  version: '1.2.0',
  services: [{ name: 'irrigation', module: 'irrigation.mjs', memoryLimitMb: 128 }],
  device: { module: 'device.mjs' },
};

const card = mkdtempSync(join(tmpdir(), 'ledge-project-card-'));
afterAll(() => rmSync(card, { recursive: true, force: true }));
const units = join(card, 'usr/lib/systemd/system');
cpSync(join(root, 'system', 'units'), units, { recursive: true, verbatimSymlinks: true });
writeTexts(projectUnits(project), card);

describe.skipIf(!has('systemd-analyze'))('systemd (needs: systemd)', () => {
  const analyze = (...words: string[]) =>
    spawnSync('systemd-analyze', [...words, '--no-pager'], { env: { ...process.env, SYSTEMD_UNIT_PATH: units }, encoding: 'utf8' });

  test.each(['irrigation', 'device'])('%s of a project is shut in: its exposure is at most 2', (name) => {
    const { stdout, stderr } = analyze('security', '--offline=true', `ledge-${name}.service`);
    const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure, stderr).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(EXPOSURE_LIMIT);
  });

  test('systemd understands every line that was made', () => {
    const { stderr } = analyze('verify', '--man=no', join(units, 'ledge-irrigation.service'));
    expect(stderr.split('\n').filter((line) => /(ledge-irrigation\.service|project\.conf):\d+/.test(line))).toEqual([]);
  });
});

describe.skipIf(!has('systemd-sysusers') || !has('systemd-tmpfiles') || !asRoot)('users and folders (needs: systemd, root)', () => {
  test('the user of a service is made with its number, in the groups of ours, and has its folder', () => {
    for (const folder of ['etc', 'run', 'var/lib', 'tmp']) mkdirSync(join(card, folder), { recursive: true });
    for (const kind of ['sysusers.d', 'tmpfiles.d'])
      cpSync(join(root, 'overlays/rpi/usr/lib', kind), join(card, 'usr/lib', kind), { recursive: true });
    for (const group of ['systemd-journal', 'audio', 'dialout', 'video']) spawnSync('groupadd', ['--root', card, group]);
    const run = (...words: [string, ...string[]]) => {
      const { status, stderr } = spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    };
    run('systemd-sysusers', `--root=${card}`);
    run('systemd-tmpfiles', `--root=${card}`, '--create', 'ledge.conf', 'ledge-project.conf');
    const id = userIdOf('irrigation');
    expect(readFileSync(join(card, 'etc/passwd'), 'utf8')).toMatch(
      new RegExp(`^ledge-irrigation:x:${id}:${id}:.*:/usr/sbin/nologin$`, 'm'),
    );
    const groups = readFileSync(join(card, 'etc/group'), 'utf8');
    expect(groups).toMatch(/^ledge:x:820:.*\bledge-irrigation\b/m);
    expect(groups).toMatch(new RegExp(`^ledge-irrigation:x:${id}:ledge$`, 'm'));
    const { mode, uid, gid } = lstatSync(join(card, 'var/lib/ledge/irrigation'));
    expect([(mode & 0o7777).toString(8), uid, gid]).toEqual(['700', id, id]);
  });
});
