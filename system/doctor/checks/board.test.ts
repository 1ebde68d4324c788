import { expect, test } from 'vitest';
import { Unseen } from '../ports.ts';
import { bootFile, type Case, finding, holds, JUST_STARTED, NOW } from '../test-tools.ts';
import { uptime } from './box.ts';
import { clockPlausible, clockSynchronised } from './clock.ts';
import { supplyVoltage, temperature } from './heat.ts';
import { compressedSwap, killedForMemory, memory } from './memory.ts';
import { network, radio, wifiCountry } from './network.ts';

const CASES: Case[] = [
  [
    'little memory',
    memory,
    { files: { '/proc/meminfo': 'MemTotal: 440000 kB\nMemAvailable: 30000 kB\n' } },
    'warning',
    '29 MB of 430 MB available',
  ],
  ['no memory', memory, { files: { '/proc/meminfo': 'MemTotal: 440000 kB\nMemAvailable: 3000 kB\n' } }, 'fault', /^3 MB/],
  ['no compressed memory', compressedSwap, { files: { '/proc/swaps': 'Filename Type Size Used Priority\n' } }, 'warning', 'there is none'],
  [
    'processes that were killed',
    killedForMemory,
    {
      files: { '/proc/vmstat': 'oom_kill 2\n' },
      programs: {
        journal: {
          'out of memory': [
            'Memory cgroup out of memory: Killed process 412 (node) total-vm:1kB',
            'Out of memory: Killed process 9 (mplayer)',
          ],
        },
      },
    },
    'warning',
    '2 processes: node, mplayer',
  ],
  [
    'processes that were killed, in a sandbox',
    killedForMemory,
    { files: { '/proc/vmstat': undefined }, programs: { journal: { 'out of memory': ['Out of memory: Killed process 9 (mplayer)'] } } },
    'warning',
    '1 process: mplayer',
  ],
  ['heat', temperature, { files: { '/sys/class/thermal/thermal_zone0/temp': '82100\n' } }, 'warning', '82 °C'],
  ['great heat', temperature, { files: { '/sys/class/thermal/thermal_zone0/temp': '89000\n' } }, 'fault', '89 °C'],
  [
    'a processor that is slowed down',
    temperature,
    { files: { '/sys/class/thermal/cooling_device0/type': 'cpufreq-cpu0\n', '/sys/class/thermal/cooling_device0/cur_state': '3\n' } },
    'warning',
    /slowed down/,
  ],
  ['a weak supply now', supplyVoltage, { files: { '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '1\n' } }, 'fault', 'too low at this moment'],
  [
    'a weak supply before',
    supplyVoltage,
    { programs: { journal: { voltage: ['hwmon hwmon1: Undervoltage detected!', 'hwmon hwmon1: Undervoltage detected!'] } } },
    'warning',
    'was too low, 2 times since the start',
  ],
  ['a supply without a sensor', supplyVoltage, { files: { '/sys/class/hwmon/hwmon1/name': 'other\n' } }, 'skipped', /no sensor/],
  [
    'no network',
    network,
    {
      addresses: () => [
        { interface: 'lo', address: '127.0.0.1', internal: true },
        { interface: 'eth0', address: 'fe80::1', internal: false },
      ],
    },
    'ok',
    /nobody reaches this box/,
  ],
  [
    'a radio that is switched off',
    radio,
    { files: { '/sys/class/rfkill/rfkill0/soft': '1\n' } },
    'warning',
    'phy0 is switched off by software',
  ],
  [
    'a radio that a switch turns off',
    radio,
    { files: { '/sys/class/rfkill/rfkill0/hard': '1\n' } },
    'warning',
    'phy0 is switched off by hardware',
  ],
  [
    'a Bluetooth radio that is off',
    radio,
    { files: { '/sys/class/rfkill/rfkill0/type': 'bluetooth\n', '/sys/class/rfkill/rfkill0/soft': '1\n' } },
    'skipped',
    /no Wi-Fi/,
  ],
  ['Wi-Fi without a country', wifiCountry, { programs: { iw: 'global\ncountry 00: DFS-UNSET\n' } }, 'warning', 'none'],
  [
    'no country, and Wi-Fi unused',
    wifiCountry,
    { files: { '/sys/class/net/wlan0/operstate': 'down\n' }, programs: { iw: 'country 00: DFS-UNSET\n' } },
    'ok',
    /not used/,
  ],
  [
    'a country from the kernel',
    wifiCountry,
    { files: { '/sys/module/cfg80211/parameters/ieee80211_regdom': 'FR\n' }, programs: { iw: new Unseen('iw is not installed here') } },
    'ok',
    'FR',
  ],
  ['a clock from before the build', clockPlausible, { now: 0 }, 'fault', /it is 1970-01-01 00:00 UTC, before this image was built/],
  [
    'a clock that nobody set',
    clockSynchronised,
    { programs: { timedatectl: 'NTP=yes\nNTPSynchronized=no\n' } },
    'warning',
    /not synchronised since the start 1 d 1 h ago$/,
  ],
  [
    'a clock that nobody tries to set',
    clockSynchronised,
    { programs: { timedatectl: 'NTP=no\nNTPSynchronized=no\n' } },
    'warning',
    /nothing tries to/,
  ],
  [
    'a clock soon after the start',
    clockSynchronised,
    { files: JUST_STARTED, programs: { timedatectl: 'NTPSynchronized=no\n' } },
    'ok',
    /not synchronised yet/,
  ],
  [
    'a machine without timedatectl',
    clockSynchronised,
    { programs: { timedatectl: new Unseen('timedatectl is not installed here') } },
    'skipped',
    /not installed/,
  ],
  [
    'a start that was a reset',
    uptime,
    { files: bootFile('SLOT=A\nRESET=power-cycles\nQUICK_BOOTS=0\n') },
    'ok',
    /1 d 1 h; this start was a factory reset \(power-cycles\)/,
  ],
];

test.each(CASES)('%s', async (...row) => {
  await holds(row);
});

test('when the clock was synchronised is told', async () => {
  const found = await finding(clockSynchronised, { files: { '/run/systemd/timesync/synchronized': '' }, now: NOW + 90_000 });
  expect(found.seen).toBe('the clock is synchronised, last 1 min 30 s ago');
});
