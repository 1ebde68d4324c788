import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNameFault } from '@ledge/kit';
import { afterAll, expect, test } from 'vitest';
import { lastOf, programsOf, readUnit, unitNames, wordsOf } from '../../system/units/unit-file.ts';
import { writeTexts } from './lay.ts';
import { type ProjectParts, projectUnits, userIdOf } from './units.ts';

const ours = join(import.meta.dirname, '..', '..', 'system', 'units');
const project: ProjectParts = {
  name: 'weather-station',
  version: '1.2.0',
  services: [
    { name: 'irrigation', module: 'irrigation.mjs', memoryLimitMb: 128 },
    { name: 'shutter', module: 'shutter.mjs', memoryLimitMb: 96 },
  ],
  device: { module: 'device.mjs' },
};

const root = mkdtempSync(join(tmpdir(), 'ledge-project-units-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
writeTexts(projectUnits(project), root);
const units = join(root, 'usr/lib/systemd/system');
const unit = (name: string) => readUnit(join(units, `ledge-${name}.service`));
const text = (path: string) => projectUnits(project)[path] ?? '';

test('each service of the project has a unit with its memory limit, the same share of it for V8, and its module', () => {
  expect(unitNames(units)).toEqual(['ledge-irrigation.service', 'ledge-shutter.service']);
  for (const { name, memoryLimitMb } of project.services) {
    expect(lastOf(unit(name), 'Service', 'MemoryMax')).toBe(`${memoryLimitMb}M`);
    expect(Number.parseInt(lastOf(unit(name), 'Service', 'MemoryHigh') ?? '', 10)).toBeLessThan(memoryLimitMb);
    expect(lastOf(unit(name), 'Service', 'ExecStart')).toBe(
      `/usr/bin/node --max-old-space-size=${Math.round(memoryLimitMb * 0.6)} --max-semi-space-size=2 /usr/lib/ledge/project/${name}.mjs`,
    );
  }
});

test('it shares with ours what every service has: notification, watchdog, restarts without end, the sandbox', () => {
  const { Unit: unitOfOurs, Service: serviceOfOurs } = readUnit(join(ours, 'ledge-sse.service'));
  for (const { name } of project.services) {
    const { Unit, Service } = unit(name);
    for (const key of ['Type', 'NotifyAccess', 'WatchdogSec', 'Restart', 'RestartSteps', 'ProtectSystem', 'PrivateUsers', 'PrivateDevices'])
      expect(Service?.[key], key).toEqual(serviceOfOurs?.[key]);
    for (const key of ['SystemCallFilter', 'CapabilityBoundingSet', 'RestrictNamespaces'])
      expect(Service?.[key]).toEqual(serviceOfOurs?.[key]);
    for (const key of ['OnFailure', 'StartLimitIntervalSec', 'PartOf']) expect(Unit?.[key], key).toEqual(unitOfOurs?.[key]);
    expect(Service?.MemoryDenyWriteExecute).toBeUndefined();
    expect(programsOf(unit(name)).filter((program) => program !== '/bin/rm')).toEqual(['/usr/bin/node']);
  }
});

test('it runs as a user of its own, and writes only to a folder of its own', () => {
  for (const { name } of project.services) {
    expect(lastOf(unit(name), 'Service', 'User')).toBe(`ledge-${name}`);
    expect(wordsOf(unit(name), 'Service', 'Environment')).toContain(`EDGE_SERVICE=${name}`);
    expect(wordsOf(unit(name), 'Service', 'ReadWritePaths')).toEqual([`/var/lib/ledge/${name}`, '/run/ledge', '/var/lib/ledge/settings']);
    expect(text('usr/lib/sysusers.d/ledge-project.conf')).toMatch(
      new RegExp(`^u ledge-${name} ${userIdOf(name)} .*\\nm ledge-${name} ledge\\n`, 'm'),
    );
    expect(text('usr/lib/tmpfiles.d/ledge-project.conf')).toContain(`d /var/lib/ledge/${name} 0700 ledge-${name} ledge-${name}\n`);
  }
});

test('when memory is short it dies after sound and before what every box needs', () => {
  const score = (file: string) => Number(lastOf(readUnit(file), 'Service', 'OOMScoreAdjust'));
  const own = score(join(units, 'ledge-irrigation.service'));
  expect(own).toBeLessThan(score(join(ours, 'ledge-media.service')));
  for (const name of ['broker', 'device', 'sse', 'server']) expect(own).toBeGreaterThan(score(join(ours, `ledge-${name}.service`)));
});

test('ledge.target wants them, after the broker; none of ours needs one of them to start', () => {
  expect(text('usr/lib/systemd/system/ledge.target.d/50-project.conf')).toContain('Wants=ledge-irrigation.service ledge-shutter.service\n');
  for (const { name } of project.services) {
    const { Unit = {} } = unit(name);
    expect(wordsOf(unit(name), 'Unit', 'After')).toEqual(
      expect.arrayContaining(['ledge-broker.service', 'ledge-identity.service', 'ledge-import.service', 'ledge-crash.service']),
    );
    for (const key of ['Requires', 'BindsTo', 'Requisite', 'Before']) expect(Unit[key], key).toBeUndefined();
  }
});

test('every service is told where the project lies', () => {
  expect(text('usr/lib/systemd/system/ledge-.service.d/50-project.conf')).toBe(
    '[Service]\nEnvironment=EDGE_PROJECT=/usr/lib/ledge/project\n',
  );
});

test('the device service with the project’s drivers starts in place of ours, with the same limits; without drivers ours does', () => {
  const dropIn = 'usr/lib/systemd/system/ledge-device.service.d/60-project.conf';
  const ourCommand = lastOf(readUnit(join(ours, 'ledge-device.service')), 'Service', 'ExecStart') ?? '';
  expect(text(dropIn)).toContain(`ExecStart=\nExecStart=${ourCommand.replace('/usr/lib/ledge/', '/usr/lib/ledge/project/')}\n`);
  expect(projectUnits({ ...project, device: undefined })[dropIn]).toBeUndefined();
});

test('a user’s number comes from the name alone, so that it outlives every change of the project', () => {
  expect([userIdOf('irrigation'), userIdOf('shutter')]).toEqual([43_329, 55_419]);
  for (const name of ['a', 'hello', 'weather-2']) {
    expect(userIdOf(name)).toBeGreaterThanOrEqual(20_000);
    expect(userIdOf(name)).toBeLessThan(60_000);
  }
});

test('two services whose users would have one number are refused', () => {
  const services = ['pump-21', 'pump-115'].map((name) => ({ name, module: `${name}.mjs`, memoryLimitMb: 128 }));
  expect(() => projectUnits({ ...project, services })).toThrow(`The services pump-21 and pump-115 would have users of the same number`);
});

test('no service of a project can have the name of a unit, user or folder of the card', () => {
  const overlay = join(ours, '../../overlays/rpi/usr/lib');
  const all = [
    ...unitNames(ours).flatMap((file) => /^ledge-([a-z-]+)\./.exec(file)?.[1] ?? []),
    ...[...readFileSync(join(overlay, 'sysusers.d/ledge.conf'), 'utf8').matchAll(/^u\s+ledge-(\S+)/gm)].map(([, name = '']) => name),
    ...[...readFileSync(join(overlay, 'tmpfiles.d/ledge.conf'), 'utf8').matchAll(/^d\s+\/var\/lib\/ledge\/([a-z-]+)\s/gm)].map(
      ([, name = '']) => name,
    ),
  ];
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((name) => serviceNameFault(name) === undefined)).toEqual([]);
});

test('a project of drivers and things alone has no users', () => {
  expect(Object.keys(projectUnits({ ...project, services: [] })).sort()).toEqual([
    'usr/lib/systemd/system/ledge-.service.d/50-project.conf',
    'usr/lib/systemd/system/ledge-device.service.d/60-project.conf',
  ]);
});
