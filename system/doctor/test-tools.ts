import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DoctorCheck } from '@ledge/contract';
import { expect } from 'vitest';
import type { Check } from './check.ts';
import { examine } from './doctor.ts';
import { type DoctorPorts, type Files, filesBelow, type Output, type Space, Unseen } from './ports.ts';

export const NOW = Date.parse('2026-12-01T12:00:00Z');
const GB = 1024 ** 3;

/** What stands in the file system of a healthy Raspberry Pi, as far as somebody looks. Undefined takes a file away. */
export const HEALTHY_FILES: Readonly<Record<string, string>> = {
  '/usr/lib/ledge/release.json': '{"version":"0.1.0","commit":"abc1234","built":"2026-11-24T05:00:00Z","machine":"rpi","kiosk":false}',
  '/usr/lib/ledge/etc-keep': 'machine-id\nhostname\nNetworkManager/system-connections/*\nssh/ssh_host_*\n',
  ...Object.fromEntries(['broker', 'device', 'media', 'server', 'sse'].map((name) => [`/usr/lib/ledge/${name}.mjs`, ''])),
  '/usr/lib/ledge/webui/index.html': '',
  '/usr/bin/node': '',
  '/run/systemd/system/.here': '',
  '/run/ledge-boot.env': 'SLOT=A\nREASON=normal\nDISK=/dev/mmcblk0\nDATA=ok\nRESET=\nQUICK_BOOTS=1\nNOTE=""\n',
  '/etc/fw_env.config': '',
  '/var/etc/upper/machine-id': '',
  '/var/etc/upper/NetworkManager/system-connections/home.nmconnection': '',
  '/var/lib/ledge/edge-id': 'ledge-a1b2c3d4\n',
  '/var/lib/ledge/ledge.yaml': '',
  '/var/lib/ledge/crash/boots.log': '2026-11-30T10:59:00Z slot A normal, data ok; the start before ended in good order\n',
  '/proc/uptime': '90061.42 350000.00\n',
  '/proc/cmdline': 'rauc.slot=A ledge.slot=A ledge.reason=normal ledge.disk=1ed9e001-01 ledge.watchdog=u-boot panic=10 quiet\n',
  '/proc/meminfo': 'MemTotal:         440000 kB\nMemFree:           50000 kB\nMemAvailable:     200000 kB\n',
  '/proc/swaps':
    'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/zram0                              partition\t219996\t\t20000\t\t100\n',
  '/proc/vmstat': 'nr_free_pages 12000\noom_kill 0\n',
  '/proc/self/mountinfo': [
    '22 1 0:21 / / ro,relatime shared:1 - overlay overlay ro,lowerdir=/layers/app:/layers/system',
    '23 22 179:4 / /var rw,nosuid,nodev,noatime shared:2 - ext4 /dev/mmcblk0p4 rw,errors=remount-ro',
    '24 22 0:22 / /etc rw,relatime shared:3 - overlay overlay rw,lowerdir=/l,upperdir=/root/var/etc/upper',
  ].join('\n'),
  '/sys/class/watchdog/watchdog0/identity': 'Broadcom BCM2835 Watchdog timer\n',
  '/sys/class/watchdog/watchdog0/state': 'active\n',
  '/sys/class/watchdog/watchdog0/timeout': '15\n',
  '/sys/firmware/devicetree/base/model': 'Raspberry Pi 4 Model B Rev 1.4\0',
  '/sys/fs/ext4/features/lazy_itable_init': '1\n',
  '/sys/fs/ext4/mmcblk0p4/errors_count': '0\n',
  '/sys/block/mmcblk0/device/life_time': '0x01 0x02\n',
  '/sys/class/thermal/thermal_zone0/temp': '48312\n',
  '/sys/class/thermal/thermal_zone0/trip_point_0_type': 'critical\n',
  '/sys/class/thermal/thermal_zone0/trip_point_0_temp': '90000\n',
  '/sys/class/hwmon/hwmon0/name': 'cpu_thermal\n',
  '/sys/class/hwmon/hwmon1/name': 'rpi_volt\n',
  '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '0\n',
  '/sys/class/rfkill/rfkill0/type': 'wlan\n',
  '/sys/class/rfkill/rfkill0/name': 'phy0\n',
  '/sys/class/rfkill/rfkill0/soft': '0\n',
  '/sys/class/rfkill/rfkill0/hard': '0\n',
  '/sys/class/ieee80211/phy0/index': '0\n',
  '/sys/class/net/wlan0/operstate': 'up\n',
  '/sys/class/net/wlan0/phy80211/index': '0\n',
};

const unitText = (properties: Record<string, string>) =>
  Object.entries({
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    Result: 'success',
    Type: 'notify',
    NRestarts: '0',
    WatchdogUSec: '30s',
    MemoryCurrent: '43000000',
    MemoryMax: '268435456',
    ActiveEnterTimestampMonotonic: '12000000',
    ExecMainExitTimestampMonotonic: '0',
    MainPID: '500',
    ...properties,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

/** What the programs of a healthy box say. `units` changes single units; an `Id` of none takes the unit away. */
export interface Programs {
  units?: Record<string, Record<string, string>>;
  wants?: string;
  failed?: string;
  manager?: string;
  /** Messages of the journal, by a word of the pattern that finds them. */
  journal?: Record<string, readonly (string | { message: string; unit: string })[]>;
  journalError?: string;
  rauc?: string | Error;
  fwPrintenv?: Output | Error;
  timedatectl?: string | Error;
  iw?: string | Error;
}

const SERVICE_UNITS = ['broker', 'device', 'media', 'server', 'sse'].map((name) => `ledge-${name}.service`);
const RAUC = JSON.stringify({
  compatible: 'ledge-rpi',
  variant: '',
  booted: 'A',
  boot_primary: 'slot.0',
  slots: [
    { 'slot.1': { class: 'slot', device: '/dev/ledge/slot-b', type: 'ext4', bootname: 'B', state: 'inactive', boot_status: 'good' } },
    { 'slot.0': { class: 'slot', device: '/dev/ledge/slot-a', type: 'ext4', bootname: 'A', state: 'booted', boot_status: 'good' } },
  ],
});

const fine = (stdout: string): Output => ({ code: 0, stdout, stderr: '' });
const orThrow = (answer: string | Error): Output => {
  if (answer instanceof Error) throw answer;
  return fine(answer);
};

function answer(programs: Programs, program: string, args: readonly string[]): Output {
  switch (program) {
    case 'systemctl': {
      if (args.includes('list-units')) return fine(programs.failed ?? '');
      const names = args.includes('--') ? args.slice(args.indexOf('--') + 1) : [];
      if (names.length === 0) return fine(programs.manager ?? 'RuntimeWatchdogUSec=15s\nWatchdogDevice=/dev/watchdog0\n');
      const wants = { Wants: programs.wants ?? SERVICE_UNITS.join(' ') };
      return fine(
        names.map((name) => unitText({ Id: name, ...(name === 'ledge.target' ? wants : {}), ...programs.units?.[name] })).join('\n'),
      );
    }
    case 'journalctl': {
      if (programs.journalError) return { code: 1, stdout: '', stderr: programs.journalError };
      const pattern = args.find((arg) => arg.startsWith('--grep=')) ?? '';
      const found = Object.entries(programs.journal ?? {}).find(([word]) => pattern.includes(word))?.[1] ?? [];
      if (found.length === 0) return { code: 1, stdout: '-- No entries --\n', stderr: '' };
      const lines = found.map((entry) => {
        const { message, unit } = typeof entry === 'string' ? { message: entry, unit: undefined } : entry;
        return JSON.stringify({ MESSAGE: message, ...(unit ? { UNIT: unit } : {}), __REALTIME_TIMESTAMP: String(NOW * 1000) });
      });
      return fine(`${lines.join('\n')}\n`);
    }
    case 'rauc':
      return orThrow(programs.rauc ?? RAUC);
    case 'fw_printenv':
      if (programs.fwPrintenv instanceof Error) throw programs.fwPrintenv;
      return programs.fwPrintenv ?? fine('BOOT_ORDER=A B\nBOOT_A_LEFT=9\n');
    case 'timedatectl':
      return orThrow(programs.timedatectl ?? 'NTP=yes\nNTPSynchronized=yes\n');
    case 'iw':
      return orThrow(programs.iw ?? 'global\ncountry DE: DFS-ETSI\n\t(2400 - 2483 @ 40), (N/A, 20), (N/A)\n');
    default:
      throw new Unseen(`${program} is not installed here`);
  }
}

export interface PretendedBox {
  files?: Readonly<Record<string, string | undefined>>;
  /** Empty folders; on disk only. */
  folders?: readonly string[];
  /** Paths whose reading is refused. */
  refused?: readonly string[];
  /** Milliseconds since 1970 of the last change of every file; {@link NOW} without. */
  changed?: number;
  programs?: Programs;
  space?: Partial<Space>;
  addresses?: DoctorPorts['addresses'];
  user?: string;
  now?: number;
}

/** A healthy box, but for what is given: its files in memory, and recorded answers of programs. */
export function pretendBox(box: PretendedBox = {}): DoctorPorts {
  return ports(box, filesInMemory({ ...HEALTHY_FILES, ...box.files }));
}

/** The same with its files below a temporary folder, as the real reader finds them. */
export function boxOnDisk(box: PretendedBox = {}): DoctorPorts & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'ledge-doctor-'));
  for (const [path, text] of Object.entries({ ...HEALTHY_FILES, ...box.files })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const folder of box.folders ?? []) mkdirSync(join(root, folder), { recursive: true });
  return { ...ports(box, filesBelow(root)), [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

type ReadFiles = Omit<Files, 'space'>;

function filesInMemory(files: Readonly<Record<string, string | undefined>>): ReadFiles {
  const present = new Map(Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const inside = (path: string) => [...present.keys()].filter((file) => file.startsWith(`${path}/`));
  return {
    read: async (path) => present.get(path),
    list: async (path) => [...new Set(inside(path).map((file) => file.slice(path.length + 1).split('/', 1)[0] ?? ''))].sort(),
    has: async (path) => present.has(path) || inside(path).length > 0,
    isFolder: async (path) => inside(path).length > 0,
    changed: async (path) => (present.has(path) ? NOW : undefined),
  };
}

function ports(box: PretendedBox, below: ReadFiles): DoctorPorts {
  const guarded = <T>(look: (path: string) => Promise<T>) => {
    return async (path: string) => {
      if (box.refused?.some((refused) => path.startsWith(refused))) throw new Unseen(`${path} may not be read`);
      return await look(path);
    };
  };
  return {
    files: {
      read: guarded(below.read),
      list: guarded(below.list),
      has: guarded(below.has),
      isFolder: guarded(below.isFolder),
      changed: guarded(async (path) => ((await below.changed(path)) === undefined ? undefined : (box.changed ?? NOW))),
      space: async () => ({ bytes: 6 * GB, freeBytes: 5 * GB, inodes: 400_000, freeInodes: 390_000, ...box.space }),
    },
    run: async (program, args) => answer(box.programs ?? {}, program, args),
    now: () => box.now ?? NOW,
    addresses: box.addresses ?? (() => [{ interface: 'wlan0', address: '192.168.1.20', internal: false }]),
    user: box.user ?? 'ledge-server',
    dataRoot: '/var/lib/ledge',
    version: '0.0.0',
  };
}

/** What one check says of such a box. */
export async function finding(check: Check, box: PretendedBox = {}): Promise<DoctorCheck> {
  const [found] = (await examine(pretendBox(box), { checks: [check] })).checks;
  if (!found) throw new Error('no check, no finding');
  return found;
}

export type Case = [what: string, check: Check, box: PretendedBox, state: string, seen: string | RegExp];

/** For `test.each`: the state, and what is said; whatever is not well says what was wanted. */
export async function holds([, check, box, state, seen]: Case): Promise<void> {
  const found = await finding(check, box);
  expect(found.state, found.seen).toBe(state);
  if (typeof seen === 'string') expect(found.seen).toBe(seen);
  else expect(found.seen).toMatch(seen);
  if (state === 'fault' || state === 'warning') expect(found.wanted).toBeTruthy();
}

/** Words for a box that was started a moment ago. */
export const JUST_STARTED = { '/proc/uptime': '40.00 100.00\n' };
export const bootFile = (words: string) => ({ '/run/ledge-boot.env': words });
