import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineViewSchema } from '@ledge/contract';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { chooseMachine } from './choose-machine.ts';
import type { FactSource } from './linux/fact-source.ts';
import { linuxFacts } from './linux/machine-facts.ts';
import { type BusCall, type BusConnection, BusError } from './linux/systemd/dbus-connection.ts';
import { imageMachine } from './linux/systemd/machine.ts';
import { SystemBus } from './linux/systemd/system-bus.ts';
import { machineContract } from './machine-contract.ts';
import { machineFacts } from './machine-facts.ts';
import { plainMachine } from './machine-plain.ts';
import { SimulatedMachine } from './machine-simulated.ts';

const FILES: Record<string, string> = {
  '/usr/lib/ledge/release.json': '{"version":"0.1.0","commit":"abc1234","built":"2026-11-24T05:00:00Z","machine":"rpi"}',
  '/run/ledge-boot.env': 'SLOT=A\nREASON=trial\nDATA=grown\n',
  '/proc/uptime': '61.50 200.00\n',
  '/proc/sys/kernel/random/boot_id': '1f0c\n',
};

/** A file system that is a list of files, and of links. */
const sourceOf = (files: Record<string, string>, links: Record<string, string> = {}): FactSource => ({
  read: async (path) => files[path],
  list: async (path) => [
    ...new Set(
      Object.keys(files).flatMap((file) => (file.startsWith(`${path}/`) ? [file.slice(path.length + 1).split('/', 1)[0] ?? ''] : [])),
    ),
  ],
  real: async (path) => links[path],
});

/** systemd and logind, as far as a machine asks them. */
class FakeManagers {
  readonly done: string[] = [];
  refusal: BusError | undefined;
  away = false;
  can = 'yes';
  resetUnit = 'loaded';
  timeZone: string | undefined;
  slotsAsked = 0;

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
      case 'SetTimezone':
        if (body[0] === 'Mars/Olympus') throw new BusError('org.freedesktop.DBus.Error.InvalidArgs', 'Invalid or not installed time zone');
        expect(body[1]).toBe(false);
        this.timeZone = String(body[0]);
        return [];
      case 'GetSlotStatus':
        this.slotsAsked++;
        return [
          [
            ['system.1', { class: 'system', bootname: 'B', state: 'booted', 'boot-status': 'good', 'bundle.version': '0.2.0' }],
            ['system.0', { class: 'system', bootname: 'A', state: 'inactive', 'boot-status': 'bad' }],
            ['other.0', { class: 'other', state: 'inactive' }],
          ],
        ];
      default:
        throw new BusError('org.freedesktop.DBus.Error.UnknownMethod', `Unknown method ${member}`);
    }
  }
}

function imageOn(managers: FakeManagers) {
  return imageOnClock(managers, fakeClock());
}
const imageOnClock = (managers: FakeManagers, clock: ReturnType<typeof fakeClock>) =>
  imageMachine({ bus: new SystemBus({ open: managers.open, clock }), clock, facts: () => linuxFacts('pc', undefined, sourceOf(FILES)) });

machineContract('simulated', () => {
  const machine = new SimulatedMachine();
  return {
    machine,
    done: () => machine.done,
    timeZone: () => machine.timeZone,
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
    timeZone: () => managers.timeZone,
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
  const machine = plainMachine('pc');
  expect(await machine.facts()).toEqual({ machine: 'pc' });
  expect(machine.acts).toEqual([]);
  await expect(machine.allows('reboot')).rejects.toMatchObject({ code: 'not-supported' });
  await expect(machine.perform('factory-reset')).rejects.toMatchObject({ code: 'not-supported' });
  await expect(machine.setTimeZone('Europe/Paris')).rejects.toMatchObject({ code: 'not-supported' });
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

test('a time zone that the machine does not have is told by its field', async () => {
  const managers = new FakeManagers();
  await expect(imageOn(managers).setTimeZone('Mars/Olympus')).rejects.toMatchObject({
    code: 'invalid-value',
    errors: [{ field: 'timeZone' }],
  });
  expect(managers.timeZone).toBeUndefined();
});

test('the updater tells both slots; nobody waits for it, and it is asked once a minute', async () => {
  const managers = new FakeManagers();
  const clock = fakeClock();
  const image = imageOnClock(managers, clock);
  expect(await image.facts()).not.toHaveProperty('slots');
  await clock.advance(1_000);
  expect((await image.facts()).slots).toEqual([
    { name: 'A', running: false, good: false },
    { name: 'B', running: true, good: true, version: '0.2.0' },
  ]);
  expect(managers.slotsAsked).toBe(1);
  managers.away = true;
  await clock.advance(60_000);
  await image.facts();
  await clock.advance(1_000);
  expect((await image.facts()).slots).toHaveLength(2);
});

const PI = {
  '/etc/os-release': 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
  '/proc/sys/kernel/osrelease': '6.12.48\n',
  '/proc/meminfo': 'MemTotal:         948304 kB\nMemFree:   1 kB\nMemAvailable:     700000 kB\n',
  '/run/systemd/timesync/synchronized': '',
  '/sys/firmware/devicetree/base/model': 'Raspberry Pi 3 Model B Plus Rev 1.3\0',
  '/sys/class/thermal/cooling_device0/type': 'cpufreq-cpu0\n',
  '/sys/class/thermal/thermal_zone0/type': 'wifi\n',
  '/sys/class/thermal/thermal_zone0/temp': '20000\n',
  '/sys/class/thermal/thermal_zone1/type': 'cpu-thermal\n',
  '/sys/class/thermal/thermal_zone1/temp': '48312\n',
  '/sys/class/hwmon/hwmon0/name': 'cpu_thermal\n',
  '/sys/class/hwmon/hwmon1/name': 'rpi_volt\n',
  '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '1\n',
  '/sys/class/watchdog/watchdog0/identity': 'Broadcom BCM2835 Watchdog timer\n',
  '/sys/class/watchdog/watchdog0/timeout': '15\n',
  '/sys/devices/mmc/mmcblk0/stat': '    5000 0 400 0 300 0 2048 0 0 0 0\n',
  '/sys/devices/mmc/mmcblk0/device/name': 'SC32G\n',
  '/sys/devices/mmc/mmcblk0/mmcblk0p4/partition': '4\n',
  '/sys/devices/mmc/mmcblk0/mmcblk0p4/stat': '1 0 1 0 1 0 1 0 0 0 0\n',
};
const PI_LINKS = { '/etc/localtime': '/usr/share/zoneinfo/Europe/Paris', '/sys/dev/block/179:4': '/sys/devices/mmc/mmcblk0/mmcblk0p4' };
const CARD_PARTITION = (179 << 8) | 4;

test('a Raspberry Pi tells its model, heat, voltage, watchdog, and what was written to its card', async () => {
  expect(await linuxFacts('pc', CARD_PARTITION, sourceOf(PI, PI_LINKS))).toEqual({
    machine: 'pc',
    model: 'Raspberry Pi 3 Model B Plus Rev 1.3',
    system: 'Debian GNU/Linux 13 (trixie), Linux 6.12.48',
    timeZone: 'Europe/Paris',
    memory: { totalBytes: 948_304 * 1024, availableBytes: 700_000 * 1024 },
    temperatureC: 48.3,
    throttled: { now: { underVoltage: true } },
    card: { name: 'SC32G', writtenBytesSinceStart: 2048 * 512 },
    clock: { synchronized: true },
    watchdog: { hardware: 'Broadcom BCM2835 Watchdog timer', timeoutS: 15 },
  });
});

test("Raspberry Pi's own kernel also tells what slows it down, and did since the start; eMMC how much of its life is used", async () => {
  const files = {
    ...PI,
    '/sys/devices/platform/soc/soc:firmware/get_throttled': '50004\n',
    '/sys/devices/mmc/mmcblk0/device/life_time': '0x01 0x03\n',
  };
  const { throttled, card } = await linuxFacts('pc', CARD_PARTITION, sourceOf(files, PI_LINKS));
  const none = { underVoltage: false, frequencyCapped: false, throttled: false, softTemperatureLimit: false };
  expect(throttled).toEqual({ now: { ...none, throttled: true }, before: { ...none, underVoltage: true, throttled: true } });
  expect(card).toMatchObject({ lifeTime: 0.3 });
});

test('what a machine does not tell is absent, and what it tells wrongly too', async () => {
  expect(await linuxFacts('pc', 0x2a, sourceOf({}))).toEqual({ machine: 'pc' });
  const odd = {
    '/proc/meminfo': 'MemTotal: many\n',
    '/sys/class/thermal/thermal_zone0/temp': '\n',
    '/sys/class/dmi/id/product_name': 'To be filled by O.E.M.\n',
  };
  expect(await linuxFacts('pc', undefined, sourceOf(odd))).toEqual({ machine: 'pc' });
});

test('this very machine tells itself, and quickly enough for a page that asks again and again', async () => {
  await machineFacts('pc', tmpdir());
  const startedMs = performance.now();
  const facts = await machineFacts('pc', tmpdir());
  console.log(`facts of this machine: ${(performance.now() - startedMs).toFixed(1)} ms`, facts);
  expect(machineViewSchema.parse({ ...facts, version: '0', can: [] })).toMatchObject({
    memory: { totalBytes: expect.any(Number) },
    disk: { freeBytes: expect.any(Number) },
    timeZone: expect.any(String),
  });
  expect((await machineFacts('pc', join(tmpdir(), 'nowhere'))).disk).toBeUndefined();
});

test('a time zone that only this process was given, as a container is, is the one that is told', async () => {
  const before = process.env.TZ;
  process.env.TZ = 'Asia/Tokyo';
  try {
    expect((await machineFacts('docker', tmpdir())).timeZone).toBe('Asia/Tokyo');
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});
