import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { BusError } from './dbus-connection.ts';
import { FakeBus, FakeSystemd } from './fake-systemd.ts';
import type { StartJournal } from './journal.ts';
import { systemdServiceManager } from './service-manager.ts';
import { SystemBus } from './system-bus.ts';

function machine({ startJournal }: { startJournal?: StartJournal } = {}) {
  const systemd = new FakeSystemd();
  const fake = new FakeBus(systemd);
  const clock = fakeClock();
  const cgroups = mkdtempSync(join(tmpdir(), 'ledge-cgroups-'));
  const bus = new SystemBus({ open: fake.open, clock });
  const manager = systemdServiceManager({ bus, cgroups, ...(startJournal ? { startJournal } : {}) });
  const one = async (name: string) => (await manager.list()).find((service) => service.name === name);
  const memory = (unit: string, bytes: number) => {
    mkdirSync(join(cgroups, 'system.slice', unit), { recursive: true });
    writeFileSync(join(cgroups, 'system.slice', unit, 'memory.current'), `${bytes}\n`);
  };
  return { systemd, fake, clock, bus, manager, one, memory };
}

test('services are the units ledge-*.service that stay, each with what systemd and the kernel know of it', async () => {
  const { systemd, manager, memory } = machine();
  systemd.add('ledge-media.service', { MainPID: 812, NRestarts: 2, MemoryMax: 160n * 1024n * 1024n });
  systemd.add('ledge-identity.service', { Type: 'oneshot', ActiveState: 'inactive', SubState: 'dead' });
  systemd.add('ledge-Odd_name.service');
  systemd.add('ledge-gone.service', { LoadState: 'not-found' });
  memory('ledge-media.service', 47_000_000);
  expect(await manager.list()).toEqual([
    { name: 'media', state: 'running', pid: 812, restarts: 2, memoryBytes: 47_000_000, memoryLimitBytes: 167_772_160 },
  ]);
});

test('a list that is asked for again costs no message', async () => {
  const { systemd, manager } = machine();
  systemd.add('ledge-media.service');
  await manager.list();
  systemd.asked.length = 0;
  for (let i = 0; i < 10; i++) await manager.list();
  expect(systemd.asked).toEqual([]);
});

test('changes are known by signals', async () => {
  const { systemd, one, clock } = machine();
  systemd.add('ledge-media.service', { MainPID: 812 });
  await one('media');
  systemd.change('ledge-media.service', { ActiveState: 'activating', SubState: 'auto-restart', MainPID: 0 });
  systemd.change('ledge-media.service', { Result: 'watchdog', ExecMainCode: 2, ExecMainStatus: 6, NRestarts: 1 });
  expect(await one('media')).toEqual({
    name: 'media',
    state: 'waiting',
    restarts: 1,
    lastExit: 'it hung: its own check has not passed in time',
  });
  systemd.change('ledge-media.service', { MainPID: 900, Result: 'success', ExecMainCode: 0, ExecMainStatus: 0 });
  systemd.change('ledge-media.service', { ActiveState: 'active', SubState: 'running' });
  await clock.advance(0);
  expect(await one('media')).toMatchObject({ state: 'running', pid: 900, lastExit: expect.stringContaining('hung') });
});

test('where a unit counts its memory is asked when it starts', async () => {
  const { systemd, one, clock, memory } = machine();
  systemd.add('ledge-media.service', { ActiveState: 'inactive', SubState: 'dead', MainPID: 0, ControlGroup: '' });
  expect(await one('media')).toEqual({ name: 'media', state: 'stopped', restarts: 0 });
  memory('ledge-media.service', 1000);
  systemd.change('ledge-media.service', { MainPID: 5, ActiveState: 'active', ControlGroup: '/system.slice/ledge-media.service' });
  await clock.advance(0);
  expect(await one('media')).toMatchObject({ memoryBytes: 1000 });
});

test('signals of somebody else than systemd are not believed', async () => {
  const { systemd, fake, one } = machine();
  systemd.add('ledge-media.service');
  await one('media');
  fake.say({
    sender: ':1.99',
    path: '/org/freedesktop/systemd1/unit/ledge_2dmedia_2eservice',
    interface: 'org.freedesktop.DBus.Properties',
    member: 'PropertiesChanged',
    body: ['org.freedesktop.systemd1.Unit', { ActiveState: 'failed' }, []],
  });
  expect(await one('media')).toMatchObject({ state: 'running' });
});

test('units that come, go, or are described anew are seen', async () => {
  const { systemd, manager, fake } = machine();
  systemd.add('ledge-media.service');
  await manager.list();
  systemd.add('ledge-weather.service', { MemoryMax: 1000n });
  expect((await manager.list()).map((service) => service.name)).toEqual(['media', 'weather']);
  const rules = fake.rules.length;
  systemd.remove('ledge-media.service');
  expect((await manager.list()).map((service) => service.name)).toEqual(['weather']);
  expect(fake.rules).toHaveLength(rules - 1);
  systemd.change('ledge-weather.service', { MemoryMax: 2000n });
  systemd.reload();
  expect(await manager.list()).toEqual([expect.objectContaining({ memoryLimitBytes: 2000 })]);
});

test('start, stop and restart go to the unit', async () => {
  const { systemd, manager } = machine();
  systemd.add('ledge-media.service');
  await manager.start('media');
  await manager.stop('media');
  await manager.restart('media');
  const jobs = systemd.asked.filter((text) => text.endsWith('replace'));
  expect(jobs).toEqual(['StartUnit', 'StopUnit', 'RestartUnit'].map((verb) => `${verb} ledge-media.service replace`));
});

test('a service that ended too often may be started again by a person', async () => {
  const { systemd, manager } = machine();
  systemd.add('ledge-media.service', { ActiveState: 'failed', SubState: 'failed', Result: 'start-limit-hit' });
  await manager.start('media');
  expect(systemd.asked.slice(-2)).toEqual(['ResetFailedUnit ledge-media.service', 'StartUnit ledge-media.service replace']);
});

test('no unit but a service can be started: not the factory reset, not what has no unit', async () => {
  const { systemd, manager } = machine();
  systemd.add('ledge-reset.service', { Type: 'oneshot' });
  for (const name of ['reset', 'other', '../ssh', 'media.service']) {
    await expect(manager.start(name)).rejects.toMatchObject({ code: 'not-found' });
  }
  expect(systemd.asked.filter((text) => text.startsWith('StartUnit'))).toEqual([]);
});

test.each([
  ['org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', 'not-allowed'],
  ['org.freedesktop.DBus.Error.AccessDenied', 'not-allowed'],
  ['org.freedesktop.systemd1.NoSuchUnit', 'not-found'],
  ['org.freedesktop.DBus.Error.NoReply', 'service-away'],
])('%s is told as %s', async (busName, code) => {
  const { systemd, manager } = machine();
  systemd.add('ledge-media.service');
  systemd.refusal = new BusError(busName, 'no');
  await expect(manager.stop('media')).rejects.toMatchObject({ code, message: 'systemd does not stop media: no' });
});

test('when the bus goes away that is told, and after it is back everything is known anew', async () => {
  const { systemd, fake, manager, one, clock } = machine();
  systemd.add('ledge-media.service');
  await manager.list();
  fake.cut();
  fake.away = true;
  await clock.advance(0);
  await expect(manager.list()).rejects.toMatchObject({ code: 'service-away' });
  await expect(manager.stop('media')).rejects.toMatchObject({ code: 'service-away' });
  systemd.change('ledge-media.service', { ActiveState: 'failed', SubState: 'failed' });
  fake.away = false;
  expect(await one('media')).toMatchObject({ state: 'stopped' });
  systemd.change('ledge-media.service', { ActiveState: 'active' });
  expect(await one('media')).toMatchObject({ state: 'running' });
});

test('logs are those of all services, also of such that have not written yet, and can be read without systemd', async () => {
  const started: (readonly string[])[] = [];
  const startJournal: StartJournal = (args) => {
    started.push(args.filter((text) => text.startsWith('--unit=')));
    return { lines: (async function* () {})(), ended: Promise.resolve(''), kill() {} };
  };
  const { systemd, fake, manager } = machine({ startJournal });
  systemd.add('ledge-media.service');
  const read = async (service?: string) => {
    for await (const _ of manager.logs({ last: 10, signal: new AbortController().signal, ...(service ? { service } : {}) }));
  };
  await read();
  await read('media');
  fake.cut();
  fake.away = true;
  await read();
  expect(started).toEqual([
    ['--unit=ledge-*.service', '--unit=ledge-media.service'],
    ['--unit=ledge-media.service'],
    ['--unit=ledge-*.service', '--unit=ledge-media.service'],
  ]);
});

test('an ended connection leaves nothing behind', async () => {
  const { systemd, manager, clock } = machine();
  systemd.add('ledge-media.service');
  await manager.list();
  manager.close?.();
  await clock.advance(100_000);
  expect(clock.pendingTimers).toBe(0);
  await expect(manager.list()).rejects.toMatchObject({ code: 'service-away' });
});
