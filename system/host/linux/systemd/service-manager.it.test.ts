import { Message, MessageType, sessionBus, Variant } from '@jellybrick/dbus-next';
import { systemClock } from '@ledge/kit';
import { PrivateBus, until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { BusError, BusVariant, openDbus } from './dbus-connection.ts';
import { FakeSystemd, UNLIMITED } from './fake-systemd.ts';
import { systemdServiceManager } from './service-manager.ts';
import { SystemBus } from './system-bus.ts';
import { SYSTEMD } from './unit-table.ts';

/** Puts the fake on a real bus under systemd's name. */
async function serve(systemd: FakeSystemd, address: string): Promise<() => void> {
  const bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
  bus.on('error' as 'connect', () => {}); // the bus is killed under it
  await new Promise<void>((resolve) => bus.once('connect', resolve));
  bus.addMethodHandler((message) => {
    if (message.type !== MessageType.METHOD_CALL) return false;
    try {
      const { signature, body } = systemd.answer(message);
      bus.send(Message.newMethodReturn(message, signature, body.map(asLibrary)));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      bus.send(Message.newError(message, error.busName, error.message));
    }
    return true;
  });
  systemd.onSignal = ({ path, interface: owner, member, signature, body }) =>
    bus.send(Message.newSignal(path, owner, member, signature, body.map(asLibrary)));
  await bus.requestName(SYSTEMD);
  return () => bus.disconnect();
}

function asLibrary(value: unknown): unknown {
  if (value instanceof BusVariant) return new Variant(value.signature, asLibrary(value.value));
  if (Array.isArray(value)) return value.map(asLibrary);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asLibrary(inner)]));
}

test.skipIf(!PrivateBus.installed)(
  'on a real bus services are listed, followed, controlled, and found again after the bus was away',
  async () => {
    await using daemon = new PrivateBus('<deny send_interface="org.freedesktop.systemd1.Manager" send_member="StopUnit"/>');
    await daemon.start();
    const systemd = new FakeSystemd();
    systemd.add('ledge-media.service', { MainPID: 812, NRestarts: 2, MemoryMax: 160n * 1024n * 1024n });
    systemd.add('ledge-server.service', { MemoryMax: UNLIMITED });
    let leave = await serve(systemd, daemon.address);
    const bus = new SystemBus({ open: () => openDbus(daemon.address), clock: systemClock });
    const manager = systemdServiceManager({ bus, cgroups: '/nonexistent' });
    const media = async () => (await manager.list()).find((service) => service.name === 'media');

    expect(await manager.list()).toEqual([
      { name: 'media', state: 'running', pid: 812, restarts: 2, memoryLimitBytes: 167_772_160 },
      { name: 'server', state: 'running', pid: 100, restarts: 0 },
    ]);
    systemd.change('ledge-media.service', { ActiveState: 'activating', SubState: 'auto-restart', MainPID: 0 });
    systemd.change('ledge-media.service', { Result: 'oom-kill', ExecMainCode: 2, ExecMainStatus: 9 });
    await until('the change', async () => (await media())?.lastExit !== undefined);
    expect(await media()).toMatchObject({ state: 'waiting', lastExit: 'it used more memory than its limit' });

    await manager.restart('media');
    expect(systemd.asked.at(-1)).toBe('RestartUnit ledge-media.service replace');
    await expect(manager.stop('media')).rejects.toMatchObject({ code: 'not-allowed' });
    systemd.refusal = new BusError('org.freedesktop.systemd1.NoSuchUnit', 'Unit ledge-media.service not found.');
    await expect(manager.start('media')).rejects.toMatchObject({ code: 'not-found' });

    const asked = systemd.asked.length;
    const startedMs = performance.now();
    for (let i = 0; i < 1000; i++) await manager.list();
    console.log(`a list from the cache takes ${((performance.now() - startedMs) / 1000).toFixed(3)} ms`);
    expect(systemd.asked).toHaveLength(asked);

    leave();
    await until('systemd to be missed', () =>
      manager.list().then(
        () => false,
        () => true,
      ),
    );
    systemd.subscribed = false;
    leave = await serve(systemd, daemon.address);
    await until('systemd to be there again', () => media());

    await daemon.kill();
    await until('the bus to be missed', () =>
      manager.list().then(
        () => false,
        (error) => error.code === 'service-away',
      ),
    );
    systemd.subscribed = false;
    await daemon.start();
    await serve(systemd, daemon.address);
    systemd.change('ledge-media.service', { ActiveState: 'failed', SubState: 'failed' });
    await until('the bus to be there again', async () => (await media())?.state === 'stopped');
    systemd.change('ledge-media.service', { ActiveState: 'active', SubState: 'running' });
    await until('signals to come again', async () => (await media())?.state === 'running');
    manager.close?.();
  },
);

test.skipIf(!PrivateBus.installed)('where no bus is, that is told', async () => {
  const bus = new SystemBus({ open: () => openDbus('unix:path=/nonexistent/bus'), clock: systemClock });
  await expect(systemdServiceManager({ bus }).list()).rejects.toMatchObject({
    code: 'service-away',
    message: expect.stringContaining('ENOENT'),
  });
});
