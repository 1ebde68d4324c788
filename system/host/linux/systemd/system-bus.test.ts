import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { FakeBus, FakeSystemd } from './fake-systemd.ts';
import { SystemBus } from './system-bus.ts';
import { MANAGER, SYSTEMD } from './unit-table.ts';

const RELOADING = { sender: SYSTEMD, path: MANAGER.path, interface: MANAGER.interface, member: 'Reloading' };
const SUBSCRIBE = { ...MANAGER, member: 'Subscribe' };

function station() {
  const systemd = new FakeSystemd();
  const fake = new FakeBus(systemd);
  const clock = fakeClock();
  return { systemd, fake, clock, bus: new SystemBus({ open: fake.open, clock }) };
}

test('nothing is connected before somebody asks, and then once', async () => {
  const { systemd, fake, bus } = station();
  systemd.add('ledge-media.service');
  expect(fake.opened).toBe(0);
  await Promise.all([bus.call(SUBSCRIBE), bus.property(SYSTEMD, '/x', 'y', 'z').catch(() => {})]);
  expect(fake.opened).toBe(1);
});

test('what is watched is watched again after the bus was away, with longer and longer waits between the tries', async () => {
  const { systemd, fake, clock, bus } = station();
  const heard: unknown[] = [];
  await bus.watch(RELOADING, (body) => heard.push(body[0]));
  await bus.call(SUBSCRIBE);
  systemd.reload();
  fake.away = true;
  fake.cut();
  await clock.advance(6_000);
  expect(fake.opened).toBe(1);
  fake.away = false;
  await clock.advance(1_000);
  expect(fake.opened).toBe(2);
  await bus.call(SUBSCRIBE);
  systemd.reload();
  expect(heard).toEqual([false, false]);
});

test('who nothing is watched of is not looked for again', async () => {
  const { fake, clock, bus } = station();
  await bus.call(SUBSCRIBE);
  const unwatch = await bus.watch(RELOADING, () => {});
  unwatch();
  await clock.advance(0);
  expect(fake.rules.filter((rule) => rule.includes('Reloading'))).toEqual([]);
  fake.cut();
  await clock.advance(100_000);
  expect(fake.opened).toBe(1);
});

test('an owner that comes and goes is told, and only his signals are heard', async () => {
  const { fake, bus } = station();
  const present: boolean[] = [];
  const heard: unknown[] = [];
  bus.onOwnerChange(SYSTEMD, (there) => present.push(there));
  await bus.watch(RELOADING, (body) => heard.push(body[0]));
  const dbus = { sender: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
  const reloading = { path: MANAGER.path, interface: MANAGER.interface, member: 'Reloading' };
  fake.say({ ...dbus, member: 'NameOwnerChanged', body: [SYSTEMD, ':1.1', ''] });
  fake.say({ ...reloading, sender: ':1.1', body: ['old'] });
  fake.say({ ...dbus, member: 'NameOwnerChanged', body: [SYSTEMD, '', ':1.7'] });
  fake.say({ ...reloading, sender: ':1.7', body: ['new'] });
  expect(present).toEqual([true, false, true]);
  expect(heard).toEqual(['new']);
});

test('an answer that does not come is a service that is away', async () => {
  const clock = fakeClock();
  const bus = new SystemBus({
    clock,
    open: async () => ({ call: () => new Promise(() => {}), onSignal() {}, closed: new Promise(() => {}), close() {} }),
  });
  const asked = expect(bus.call(SUBSCRIBE, 500)).rejects.toMatchObject({
    code: 'service-away',
    message: expect.stringContaining('500 ms'),
  });
  await clock.advance(500);
  await asked;
});

test('a call that is under way when the bus goes is told so', async () => {
  const { fake, bus } = station();
  await bus.call(SUBSCRIBE);
  const asked = bus.call({ ...MANAGER, member: 'ListUnitsByPatterns' });
  await Promise.resolve();
  fake.cut();
  await expect(asked).rejects.toMatchObject({ code: 'service-away' });
});
