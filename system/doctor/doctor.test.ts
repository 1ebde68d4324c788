import { doctorReportSchema } from '@ledge/contract';
import { expect, test } from 'vitest';
import { ok } from './check.ts';
import { declaredState } from './checks/box.ts';
import { CHECKS } from './checks/index.ts';
import { examine } from './doctor.ts';
import { Unseen } from './ports.ts';
import { boxOnDisk, HEALTHY_FILES, pretendBox } from './test-tools.ts';

test('a healthy box is ok in every check', async () => {
  using box = boxOnDisk();
  const report = await examine(box);
  expect(report.checks.filter(({ state }) => state !== 'ok' && state !== 'skipped')).toEqual([]);
  expect(report.checks.filter(({ state }) => state === 'skipped').map(({ name }) => name)).toEqual(['import']);
  expect(report).toMatchObject({ state: 'ok', version: '0.1.0', time: '2026-12-01T12:00:00.000Z' });
  expect(doctorReportSchema.parse(report)).toEqual(report);
});

test('names of checks are unique and stable in form', () => {
  const names = CHECKS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z-]+$/);
});

test('whoever may see nothing gets skipped checks with reasons, never a false alarm', async () => {
  const nobody = new Unseen('it may not be asked');
  const box = pretendBox({
    refused: Object.keys(HEALTHY_FILES).filter((path) => !/release\.json|systemd\/system/.test(path)),
    programs: {
      rauc: nobody,
      fwPrintenv: nobody,
      timedatectl: nobody,
      iw: nobody,
      journalError: 'No journal files were opened due to insufficient permissions.',
    },
    addresses: () => {
      throw new Error('EAFNOSUPPORT');
    },
  });
  const blind = { ...box, run: async () => Promise.reject(nobody) };
  const { checks, state } = await examine(blind);
  expect(checks.filter((check) => check.state === 'fault' || check.state === 'warning')).toEqual([]);
  expect(state).toBe('ok');
});

test('a file system that hides what is outside a sandbox is no alarm', async () => {
  const box = pretendBox({
    files: Object.fromEntries(
      Object.keys(HEALTHY_FILES)
        .filter((path) => path.startsWith('/proc/') && path !== '/proc/self/mountinfo')
        .map((path) => [path, undefined]),
    ),
  });
  expect((await examine(box)).checks.filter(({ state }) => state === 'fault' || state === 'warning')).toEqual([]);
});

test('on a PC only what makes sense there is looked at', async () => {
  const box = pretendBox({ files: { '/usr/lib/ledge/release.json': undefined, '/run/ledge-boot.env': undefined } });
  const { checks, version } = await examine(box);
  expect(version).toBe('0.0.0');
  const seen = checks.filter(({ state }) => state !== 'skipped').map(({ name }) => name);
  expect(seen).toEqual(['data-space', 'data-files', 'memory', 'temperature', 'clock-synchronised', 'network', 'uptime']);
});

test('a check that breaks does not break the others', async () => {
  const box = pretendBox();
  const broken = {
    name: 'broken',
    title: 'Broken',
    look: () => {
      throw new TypeError('x is not a function');
    },
  };
  const { checks } = await examine(box, { checks: [broken, { name: 'other', title: 'Other', look: () => ok('fine') }] });
  expect(checks).toEqual([
    { name: 'broken', title: 'Broken', state: 'skipped', seen: 'the check itself failed: x is not a function' },
    { name: 'other', title: 'Other', state: 'ok', seen: 'fine' },
  ]);
});

test('a check that does not come to an end is skipped in time', async () => {
  const { checks } = await examine(pretendBox(), {
    checks: [{ name: 'slow', title: 'Slow', look: () => new Promise(() => {}) }],
    withinMs: 50,
  });
  expect(checks).toEqual([{ name: 'slow', title: 'Slow', state: 'skipped', seen: 'it took longer than 0.05 s' }]);
});

test('an empty folder below /etc is no change', async () => {
  using box = boxOnDisk({ folders: ['/var/etc/upper/polkit-1/rules.d'] });
  const { checks } = await examine(box, { checks: [declaredState] });
  expect(checks[0]).toMatchObject({ state: 'ok', seen: 'nothing outside the data was changed' });
});
