import { test } from 'vitest';
import { type Case, holds, JUST_STARTED, NOW, type PretendedBox } from '../test-tools.ts';
import { requiredFiles } from './box.ts';
import { crashes, lastStart } from './crashes.ts';
import { deniedActions, orderingCycles } from './journal.ts';
import { failedUnits, services, target } from './units.ts';
import { watchdogFirmware, watchdogHardware, watchdogServices, watchdogSystemd } from './watchdog.ts';

const unit = (name: string, properties: Record<string, string>): PretendedBox => ({
  programs: { units: { [`ledge-${name}.service`]: properties } },
});
const bootsLog = (end: string) => ({
  files: { '/var/lib/ledge/crash/boots.log': `2026-12-01T08:00:00Z slot A normal, data ok; ${end}\n` },
});

const WITH_PROJECT = {
  '/usr/lib/ledge/release.json':
    '{"version":"0.1.0","machine":"rpi","project":{"name":"weather-station","version":"1.2.0","services":["irrigation"]}}',
  '/usr/lib/ledge/project/project.json': '{}',
  '/usr/lib/ledge/project/irrigation.mjs': '',
};

const CASES: Case[] = [
  [
    'a failed unit of ours',
    failedUnits,
    { programs: { failed: 'ledge-media.service loaded failed failed Media\n' } },
    'fault',
    'ledge-media.service failed',
  ],
  [
    'a failed unit of the system',
    failedUnits,
    { programs: { failed: 'fstrim.service loaded failed failed Trim\n' } },
    'warning',
    'fstrim.service failed',
  ],
  ['a service that is gone', services, unit('media', { ActiveState: 'failed', SubState: 'failed' }), 'fault', 'media is failed'],
  [
    'a service that waits to begin again',
    services,
    unit('media', { ActiveState: 'activating', SubState: 'auto-restart' }),
    'fault',
    /waiting to be restarted/,
  ],
  ['a service that is starting', services, unit('media', { ActiveState: 'activating', SubState: 'start' }), 'warning', 'media is starting'],
  ['a service that begins again and again', services, unit('sse', { NRestarts: '7' }), 'warning', 'sse was restarted 7 times'],
  ['a service that was restarted once', services, unit('sse', { NRestarts: '1' }), 'ok', /5 services run/],
  [
    'a service without a unit',
    services,
    unit('sse', { LoadState: 'not-found', ActiveState: 'inactive' }),
    'fault',
    'ledge-sse.service does not exist',
  ],
  ['a unit with a mistake', services, unit('sse', { LoadState: 'bad-setting' }), 'fault', /cannot be loaded \(bad-setting\)/],
  [
    'something that runs once and is done',
    services,
    {
      programs: {
        wants: 'ledge-import.service',
        units: { 'ledge-import.service': { Type: 'oneshot', ActiveState: 'inactive', Result: 'exec-condition' } },
      },
    },
    'ok',
    /5 services run/,
  ],
  [
    'a service of somebody else that the target wants',
    services,
    { programs: { wants: 'ledge-weather.service', units: { 'ledge-weather.service': { ActiveState: 'failed' } } } },
    'fault',
    'weather is failed',
  ],
  [
    'a service of the project that was built in, which the target does not want',
    services,
    { files: WITH_PROJECT },
    'fault',
    'ledge-irrigation.service does not exist',
  ],
  [
    'a project whose services run',
    services,
    { files: WITH_PROJECT, programs: { wants: 'ledge-irrigation.service' } },
    'ok',
    /6 services run/,
  ],
  [
    'a project without its program',
    requiredFiles,
    { files: { ...WITH_PROJECT, '/usr/lib/ledge/project/irrigation.mjs': undefined } },
    'fault',
    '/usr/lib/ledge/project/irrigation.mjs is missing',
  ],
  ['a project that is whole', requiredFiles, { files: WITH_PROJECT }, 'ok', /^all \d+ are there$/],
  [
    'a target that is not reached in time',
    target,
    { programs: { units: { 'ledge.target': { ActiveState: 'inactive' } } } },
    'fault',
    /ledge.target is inactive, 1 d 1 h after the start/,
  ],
  [
    'a target that is not reached yet',
    target,
    { files: JUST_STARTED, programs: { units: { 'ledge.target': { ActiveState: 'inactive' } } } },
    'warning',
    /still starting/,
  ],
  [
    'a start that nobody noted as complete',
    target,
    { programs: { units: { 'ledge-boot-complete.service': { Type: 'oneshot', ActiveState: 'inactive', Result: 'exec-condition' } } } },
    'fault',
    /not noted as complete/,
  ],
  [
    'a start that was noted by a service that has ended',
    target,
    {
      programs: {
        wants: 'ledge-boot-complete.service',
        units: {
          'ledge-boot-complete.service': { Type: 'oneshot', ActiveState: 'inactive', Result: 'exec-condition' },
          'ledge-boot-lasted.service': { Type: 'oneshot', ActiveState: 'inactive', ExecMainExitTimestampMonotonic: '31000000' },
        },
      },
    },
    'ok',
    /noted as complete/,
  ],
  [
    'a service that broke today',
    crashes,
    {
      files: {
        '/var/lib/ledge/crash/0.log': '# 2026-12-01T08:00:00Z slot A (normal): ledge-media ended (watchdog, killed 6)\nlines',
        '/var/lib/ledge/crash/1.log': '# 2026-12-01T09:00:00Z slot A (normal): ledge-sse ended (oom-kill)\n',
      },
    },
    'warning',
    'ledge-media ended (watchdog, killed 6), ledge-sse ended (oom-kill)',
  ],
  [
    'a service that broke last week',
    crashes,
    { files: { '/var/lib/ledge/crash/0.log': '# x' }, changed: NOW - 7 * 86_400_000 },
    'ok',
    'none',
  ],
  [
    'a start that the watchdog ended',
    lastStart,
    bootsLog('the start before was ended by the watchdog'),
    'warning',
    'it was ended by the watchdog',
  ],
  ['a start that a power cut ended', lastStart, bootsLog('the start before was cut off. data mended'), 'ok', 'it was cut off'],
  ['a first start', lastStart, { files: { '/var/lib/ledge/crash/boots.log': undefined } }, 'skipped', 'nobody has noted it'],
  [
    'units that wait for each other',
    orderingCycles,
    {
      programs: {
        journal: {
          'ordering cycle': [
            'basic.target: Found ordering cycle on ledge-identity.service/start',
            'basic.target: Job ledge-identity.service/start deleted to break ordering cycle starting with basic.target/start',
          ],
        },
      },
    },
    'fault',
    /left out ledge-identity.service/,
  ],
  [
    'such units as later systemd says it',
    orderingCycles,
    { programs: { journal: { 'ordering cycle': ['a.service: Found ordering cycle: b.service → a.service'] } } },
    'fault',
    /found a cycle/,
  ],
  [
    'a journal that may not be read',
    orderingCycles,
    { programs: { journalError: 'Hint: You are currently not seeing messages from other users and the system.' }, user: 'nobody' },
    'skipped',
    "the system's journal may not be read by nobody",
  ],
  [
    'a system call that was refused',
    deniedActions,
    { programs: { journal: { 'type=1326': ['audit: type=1326 audit(1:2): uid=992 comm="node" syscall=101'] } } },
    'warning',
    /1 line in the journal, the newest: audit: type=1326/,
  ],
  [
    'a file that a service may not open',
    deniedActions,
    {
      programs: {
        journal: {
          EACCES: [
            {
              unit: 'ledge-device.service',
              message: '{"level":50,"msg":"cannot open","err":{"message":"EACCES: permission denied, /dev/gpiochip0"}}',
            },
          ],
        },
      },
    },
    'warning',
    /ledge-device.service: cannot open: EACCES/,
  ],
  [
    'what the doctor himself was refused',
    deniedActions,
    {
      programs: {
        journal: { Rejected: ['[system] Rejected send message, 1 matched rules; sender=":1.9" (uid=1000 pid=9 comm="rauc status")'] },
      },
    },
    'ok',
    /nothing/,
  ],
  [
    'a machine without a watchdog',
    watchdogHardware,
    {
      files: {
        '/sys/class/watchdog/watchdog0/identity': undefined,
        '/sys/class/watchdog/watchdog0/state': undefined,
        '/sys/class/watchdog/watchdog0/timeout': undefined,
      },
    },
    'warning',
    'this machine has no watchdog',
  ],
  [
    'a watchdog that sleeps',
    watchdogHardware,
    { files: { '/sys/class/watchdog/watchdog0/state': 'inactive\n' } },
    'fault',
    /Broadcom BCM2835 Watchdog timer is inactive/,
  ],
  [
    'systemd without its watchdog',
    watchdogSystemd,
    { programs: { manager: 'RuntimeWatchdogUSec=0\nWatchdogDevice=\n' } },
    'fault',
    /feeds no hardware watchdog/,
  ],
  ['a watchdog that waits for ever', watchdogSystemd, { programs: { manager: 'RuntimeWatchdogUSec=infinity\n' } }, 'fault', /feeds no/],
  [
    'a watchdog of a minute and a half',
    watchdogSystemd,
    { programs: { manager: 'RuntimeWatchdogUSec=1min 30s\nWatchdogDevice=/dev/watchdog0\n' } },
    'ok',
    /would wait 1 min 30 s/,
  ],
  ['a service that nobody watches', watchdogServices, unit('media', { WatchdogUSec: '0' }), 'fault', 'nobody watches ledge-media.service'],
  [
    'what runs once, unwatched',
    watchdogServices,
    { programs: { wants: 'ledge-import.service', units: { 'ledge-import.service': { Type: 'oneshot', WatchdogUSec: '0' } } } },
    'ok',
    '5 services watched',
  ],
  [
    'a boot loader without a watchdog on a Pi',
    watchdogFirmware,
    { files: { '/proc/cmdline': 'ledge.watchdog=none quiet' } },
    'warning',
    /set no watchdog/,
  ],
  [
    'a boot loader without a watchdog in a virtual machine',
    watchdogFirmware,
    { files: { '/proc/cmdline': 'ledge.watchdog=none', '/sys/firmware/devicetree/base/model': 'linux,dummy-virt\0' } },
    'skipped',
    /knows no watchdog of this machine/,
  ],
  ['a boot loader that does not say', watchdogFirmware, { files: { '/proc/cmdline': 'quiet' } }, 'skipped', /does not say/],
];

test.each(CASES)('%s', async (...row) => {
  await holds(row);
});
