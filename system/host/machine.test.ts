import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { chooseMachine } from './choose-machine.ts';
import type { FactFiles } from './linux/machine-facts.ts';
import { type BusCall, type BusConnection, BusError } from './linux/systemd/dbus-connection.ts';
import { imageMachine } from './linux/systemd/machine.ts';
import { SystemBus } from './linux/systemd/system-bus.ts';
import { machineContract } from './machine-contract.ts';
import { plainMachine } from './machine-plain.ts';
import { SimulatedMachine } from './machine-simulated.ts';

const FILES: Record<string, string> = {
  '/usr/lib/ledge/release.json': '{"version":"0.1.0","commit":"abc1234","built":"2026-11-24T05:00:00Z","machine":"rpi"}',
  '/run/ledge-boot.env': 'SLOT=A\nREASON=trial\nDATA=grown\n',
  '/proc/uptime': '61.50 200.00\n',
  '/proc/sys/kernel/random/boot_id': '1f0c\n',
};
const files: FactFiles = async (path) => FILES[path];

/** systemd and logind, as far as a machine asks them. */
class FakeManagers {
  readonly done: string[] = [];
  refusal: BusError | undefined;
  away = false;
  can = 'yes';
  resetUnit = 'loaded';

  readonly open = async (): Promise<BusConnection> => {
    if (this.away) throw new Error('connect ENOENT /run/dbus/system_bus_socket');
    return { call: async (call) => this.#answer(call), onSignal() {}, closed: new Promise(() => {}), close() {} };
  };

  #answer({ member, body = [] }: BusCall): unknown[] {
    if (this.refusal) throw this.refusal;
    switch (member) {
      case 'CanReboot':
      case 'CanPowerOff':
        return [this.can];
      case 'LoadUnit':
        return ['/org/freedesktop/systemd1/unit/ledge_2dreset_2eservice'];
      case 'Get':
        return [this.resetUnit];
      case 'Reboot':
      case 'PowerOff':
        expect(body).toEqual([false]);
        this.done.push(member === 'Reboot' ? 'reboot' : 'power-off');
        return [];
      case 'StartUnit':
        expect(body).toEqual(['ledge-reset.service', 'replace']);
        this.done.push('factory-reset');
        return ['/org/freedesktop/systemd1/job/1'];
      default:
        throw new BusError('org.freedesktop.DBus.Error.UnknownMethod', `Unknown method ${member}`);
    }
  }
}

function imageOn(managers: FakeManagers) {
  return imageMachine({ bus: new SystemBus({ open: managers.open, clock: fakeClock() }), kind: 'pc', files });
}

machineContract('simulated', () => {
  const machine = new SimulatedMachine();
  return {
    machine,
    done: () => machine.done,
    refuse(why) {
      machine.refuses = why;
    },
  };
});

machineContract('card image', () => {
  const managers = new FakeManagers();
  const errors = {
    'not-allowed': new BusError('org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', 'Interactive authentication required.'),
    'service-away': new BusError('org.freedesktop.DBus.Error.NoReply', 'it did not answer'),
  };
  return {
    machine: imageOn(managers),
    done: () => managers.done,
    refuse(why) {
      managers.refusal = why && errors[why];
    },
  };
});

test('the image tells its release and how it came up', async () => {
  expect(await imageOn(new FakeManagers()).facts()).toEqual({
    machine: 'rpi',
    version: '0.1.0',
    commit: 'abc1234',
    built: '2026-11-24T05:00:00Z',
    slot: 'A',
    reason: 'trial',
    data: 'grown',
    uptimeS: 61.5,
    bootId: '1f0c',
  });
});

test.each([
  ['no', 'not-allowed'],
  ['challenge', 'not-allowed'],
  ['na', 'not-supported'],
])('where logind says %s, it is told before anything happens', async (can, code) => {
  const managers = new FakeManagers();
  managers.can = can;
  await expect(imageOn(managers).allows('reboot')).rejects.toMatchObject({ code });
  expect(managers.done).toEqual([]);
});

test('an image without the unit for it does not reset itself', async () => {
  const managers = new FakeManagers();
  managers.resetUnit = 'not-found';
  await expect(imageOn(managers).allows('factory-reset')).rejects.toMatchObject({ code: 'not-supported' });
});

test('a bus that is away is told', async () => {
  const managers = new FakeManagers();
  managers.away = true;
  for (const act of ['reboot', 'factory-reset'] as const)
    await expect(imageOn(managers).allows(act)).rejects.toMatchObject({ code: 'service-away' });
});

test('a PC says what it knows, and refuses to be restarted', async () => {
  const machine = plainMachine('pc', async () => undefined);
  expect(await machine.facts()).toEqual({ machine: 'pc' });
  expect(machine.acts).toEqual([]);
  await expect(machine.allows('reboot')).rejects.toMatchObject({ code: 'not-supported' });
  await expect(machine.perform('factory-reset')).rejects.toMatchObject({ code: 'not-supported' });
});

test('the image is recognised by its release and by systemd, which runs the server', () => {
  const root = mkdtempSync(join(tmpdir(), 'ledge-machine-'));
  const put = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const environment = { INVOCATION_ID: 'x', EDGE_MACHINE_TYPE: 'rpi' };
  put('/run/systemd/system/x', '');
  put('/proc/self/cgroup', '0::/system.slice/ledge-server.service\n');
  expect(chooseMachine(environment, root).acts).toEqual([]);
  put('/usr/lib/ledge/release.json', '{}');
  const machine = chooseMachine(environment, root);
  expect(machine.acts).toHaveLength(3);
  machine.close?.();
  expect(chooseMachine({}, root).acts).toEqual([]);
  rmSync(root, { recursive: true });
});
