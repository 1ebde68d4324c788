import { existsSync, globSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { OUR_PLANS } from '@ledge/supervisor';
import { describe, expect, test } from 'vitest';
import { lastOf, parseUnit, programsOf, readUnit, unitNames, wordsOf } from './unit-file.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const overlays = ['base', 'rpi'].map((name) => join(root, 'overlays', name));
const inOverlays = (path: string) => overlays.map((folder) => join(folder, path)).find((file) => existsSync(file));
const overlayText = (path: string) => readFileSync(inOverlays(path) ?? path, 'utf8');

const units = new Map(unitNames(here).map((name) => [name, readUnit(join(here, name))]));
const unit = (name: string) => units.get(name) ?? {};
const ours = OUR_PLANS.map((service) => ({ ...service, unit: unit(`ledge-${service.name}.service`) }));

/** Programs that Debian's layers and the layer with Node bring. */
const OF_THE_SYSTEM = ['/usr/bin/node', '/bin/sh', '/bin/rm', '/bin/true', '/bin/touch', '/bin/systemctl', '/bin/mount'];
/** Units of Debian's that ours name. */
const OF_DEBIAN =
  /^(basic|umount|local-fs|multi-user|network-pre|paths|timers)\.target$|^dbus\.socket$|^(NetworkManager|avahi-daemon|ssh|systemd-[a-z-]+)\.service$/;
const users = [...overlayText('usr/lib/sysusers.d/ledge.conf').matchAll(/^u\s+(\S+)\s+(\d+)/gm)].map(([, name]) => name);
const folders = [...overlayText('usr/lib/tmpfiles.d/ledge.conf').matchAll(/^[df]\s+(\S+)/gm)].map(([, path]) => path);

describe('the five services', () => {
  test('each has a unit with the memory limit that the supervisor gives it, and the same share for V8', () => {
    for (const { name, memoryLimitMb, unit } of ours) {
      expect(lastOf(unit, 'Service', 'MemoryMax'), name).toBe(`${memoryLimitMb}M`);
      expect(lastOf(unit, 'Service', 'ExecStart'), name).toBe(
        `/usr/bin/node --max-old-space-size=${Math.round(memoryLimitMb * 0.6)} --max-semi-space-size=2 /usr/lib/ledge/${name}.mjs`,
      );
      expect(Number.parseInt(lastOf(unit, 'Service', 'MemoryHigh') ?? '', 10), name).toBeLessThan(memoryLimitMb);
    }
  });

  test('each runs as its own user, is told where data and sockets are, and speaks for itself to systemd', () => {
    for (const { name, unit } of ours) {
      expect(lastOf(unit, 'Service', 'User')).toBe(`ledge-${name}`);
      const environment = wordsOf(unit, 'Service', 'Environment');
      for (const word of [
        `EDGE_SERVICE=${name}`,
        'EDGE_DATA=/var/lib/ledge',
        'EDGE_RUN=/run/ledge',
        'EDGE_MACHINE_TYPE=rpi',
        'MALLOC_ARENA_MAX=2',
      ])
        expect(environment, name).toContain(word);
      expect(lastOf(unit, 'Service', 'Type')).toBe('notify');
      expect(lastOf(unit, 'Service', 'NotifyAccess')).toBe('main');
      expect(lastOf(unit, 'Service', 'WatchdogSec'), name).toMatch(/^\d+s$/);
    }
  });

  test('none is ever given up: it starts again with growing pauses, and what it said last is kept', () => {
    for (const { name, unit } of ours) {
      expect(lastOf(unit, 'Service', 'Restart'), name).toBe('always');
      expect(lastOf(unit, 'Unit', 'StartLimitIntervalSec'), name).toBe('0');
      for (const key of ['RestartSec', 'RestartSteps', 'RestartMaxDelaySec'])
        expect(lastOf(unit, 'Service', key), `${name} ${key}`).toBeDefined();
      expect(lastOf(unit, 'Service', 'RestartPreventExitStatus'), name).toBeUndefined();
      expect(lastOf(unit, 'Unit', 'OnFailure'), name).toBe('ledge-crash@%N.service');
    }
  });

  test('when memory is short, broker and server die last, and sound first', () => {
    const score = (name: string) => Number(lastOf(unit(`ledge-${name}.service`), 'Service', 'OOMScoreAdjust'));
    expect(ours.map(({ name }) => name).sort((a, b) => score(a) - score(b))).toEqual(['broker', 'server', 'device', 'sse', 'media']);
  });

  test('each may write to its own folders, which are there, and to no other', () => {
    for (const { name, unit } of ours) {
      const paths = wordsOf(unit, 'Service', 'ReadWritePaths').filter((path) => !/^-?\/sys\//.test(path));
      for (const path of paths) expect(folders, `${name}: ${path}`).toContain(path.replace(/^-/, ''));
      for (const other of OUR_PLANS) if (other.name !== name) expect(paths).not.toContain(`/var/lib/ledge/${other.name}`);
      expect(lastOf(unit, 'Service', 'ProtectSystem')).toBe('strict');
    }
  });

  test('nobody has a capability, and V8 may write the code that it runs', () => {
    for (const { name, unit } of ours) {
      expect(unit.Service?.CapabilityBoundingSet, name).toEqual([]);
      expect(unit.Service?.AmbientCapabilities, name).toEqual([]);
      expect(unit.Service?.MemoryDenyWriteExecute, name).toBeUndefined();
    }
  });

  test('the server waits for nobody; those that need the bus come after the broker, and none of them needs it to start', () => {
    expect(wordsOf(unit('ledge-server.service'), 'Unit', 'After')).not.toContain('ledge-broker.service');
    for (const name of ['device', 'sse', 'media'])
      expect(wordsOf(unit(`ledge-${name}.service`), 'Unit', 'After')).toContain('ledge-broker.service');
    for (const { unit } of ours) for (const key of ['Requires', 'BindsTo', 'Requisite']) expect(unit.Unit?.[key]).toBeUndefined();
  });
});

describe('all units', () => {
  test('everything they start is in the image', () => {
    for (const [name, unit] of units)
      for (const program of programsOf(unit))
        expect(OF_THE_SYSTEM.includes(program) || inOverlays(program) !== undefined, `${name} starts ${program}`).toBe(true);
  });

  test('every unit that one names is there', () => {
    const template = (name: string) => name.replace(/@.*\./, '@.').replace('%N', 'x');
    for (const [name, unit] of units) {
      const named = ['Wants', 'Requires', 'After', 'Before', 'PartOf', 'OnFailure'].flatMap((key) => wordsOf(unit, 'Unit', key));
      for (const section of ['Path', 'Timer']) named.push(...wordsOf(unit, section, 'Unit'));
      for (const other of named) expect(units.has(template(other)) || OF_DEBIAN.test(other), `${name} names ${other}`).toBe(true);
      if (/\.(path|timer)$/.test(name) && !wordsOf(unit, name.endsWith('path') ? 'Path' : 'Timer', 'Unit').length)
        expect(units.has(name.replace(/\.\w+$/, '.service')), name).toBe(true);
    }
  });

  test('no start waits for the network or for the right time', () => {
    const files = [...globSync('**/*.{service,target,path,timer,mount,conf}', { cwd: here }).map((file) => join(here, file))];
    for (const folder of overlays)
      files.push(...globSync('usr/lib/systemd/system/**/*.conf', { cwd: folder }).map((file) => join(folder, file)));
    for (const file of files) expect(readFileSync(file, 'utf8'), file).not.toMatch(/network-online|time-sync|wait-online|time-wait-sync/);
  });

  test('none runs into systemd’s start limit when it is asked for often', () => {
    for (const [name, unit] of units) {
      const often =
        name.endsWith('.path') || name.includes('@') || lastOf(unit, 'Service', 'Restart') !== undefined || name === 'ledge-reset.service';
      if (often) expect(lastOf(unit, 'Unit', 'StartLimitIntervalSec'), name).toBe('0');
    }
  });

  test('ledge.target wants all that starts by itself, and the preset wants ledge.target', () => {
    const wanted = wordsOf(unit('ledge.target'), 'Unit', 'Wants');
    const byUdev = [...overlayText('usr/lib/udev/rules.d/65-ledge.rules').matchAll(/SYSTEMD_WANTS}\+="([^"]+)"/g)].map(([, name]) => name);
    const asked = ['ledge-crash@.service', 'ledge-reset.service', 'ledge-boot-lasted.service', 'ledge.target', ...byUdev];
    for (const name of units.keys()) expect(wanted.includes(name) || asked.includes(name), name).toBe(true);
    const preset = overlayText('usr/lib/systemd/system-preset/00-ledge.preset');
    for (const [name, { Install }] of units) if (Install) expect(preset).toMatch(new RegExp(`^enable ${name}$`, 'm'));
    expect(preset.trim().split('\n').at(-1)).toBe('disable *');
  });

  test('their users are made at the build, with numbers that never change', () => {
    for (const [name, unit] of units) {
      const user = lastOf(unit, 'Service', 'User');
      if (user) expect(users, name).toContain(user);
    }
  });
});

// a checkout on Windows has neither links nor modes
describe.skipIf(process.platform === 'win32')('files of the card', () => {
  const all = overlays.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)));

  test('scripts may be run, and are for the plain shell', () => {
    for (const file of all.filter((path) => lstatSync(path).isFile())) {
      const script = readFileSync(file, 'utf8').startsWith('#!/bin/sh');
      if (script) expect(statSync(file).mode & 0o111, file).toBe(0o111);
      else expect(file.endsWith('.conf') || (statSync(file).mode & 0o111) === 0, file).toBe(true);
    }
  });

  test('links are masks, or lead to a place inside the root', () => {
    for (const file of all.filter((path) => lstatSync(path).isSymbolicLink())) {
      const target = readlinkSync(file);
      if (/\/systemd\/system(-generators)?\//.test(file)) expect(target, file).toBe('/dev/null');
      else expect(target, file).not.toMatch(/^\//);
    }
  });

  test('what may differ from box to box below /etc is a short list, without anything that runs', () => {
    const kept = overlayText('usr/lib/ledge/etc-keep').trim().split('\n');
    expect(kept).toContain('machine-id');
    for (const pattern of kept)
      expect(pattern).not.toMatch(/^\*|^\/|^systemd|^polkit|^ssh\/sshd|^sudoers|^passwd|^shadow|^group|^cron|^profile/);
  });

  test('the firewall drops what it does not know, and lets in the usual ports', () => {
    const rules = overlayText('etc/nftables.conf');
    expect(rules).toMatch(/hook input priority filter; policy drop;/);
    expect(rules).toMatch(/hook forward priority filter; policy drop;/);
    for (const port of [80, 1883, 8080, 8883, 9001]) expect(rules).toMatch(new RegExp(`elements = \\{[^}]*\\b${port}\\b`));
    expect(rules).not.toMatch(/^flush ruleset/m);
  });

  test('the Pi’s watchdog gets no time that it would cut short: its driver takes seconds modulo 16', () => {
    const config = overlayText('usr/lib/systemd/system.conf.d/50-ledge.conf');
    for (const key of ['RuntimeWatchdogSec', 'RebootWatchdogSec'])
      expect(Number(new RegExp(`^${key}=(\\d+)s$`, 'm').exec(config)?.[1]) % 16, key).toBe(15);
  });

  test('nobody comes in with a password', () => {
    const sshd = overlayText('etc/ssh/sshd_config.d/50-ledge.conf');
    for (const line of ['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'AuthenticationMethods publickey'])
      expect(sshd).toContain(line);
    expect(overlayText('usr/lib/sysusers.d/ledge.conf')).not.toMatch(/^u.*root/m);
  });

  test('the drop-ins that other packages get are for units that say no more than they must', () => {
    for (const name of ['getty@tty1.service', 'serial-getty@.service']) {
      const { Service } = parseUnit(overlayText(`usr/lib/systemd/system/${name}.d/50-ledge.conf`));
      expect(Service?.ExecStart).toHaveLength(1);
      expect(Service?.ExecStart?.[0]).toContain('--autologin ledge --login-pause');
    }
  });
});

describe('polkit', () => {
  type Rule = (action: { id: string; lookup(key: string): string | undefined }, subject: { user: string }) => string;
  const rules: Rule[] = [];
  const polkit = { addRule: (rule: Rule) => rules.push(rule), Result: { YES: 'yes', NO: 'no', NOT_HANDLED: 'not handled' } };
  runInContext(overlayText('etc/polkit-1/rules.d/50-ledge.rules'), createContext({ polkit }));
  const may = (user: string, id: string, details: Record<string, string> = {}) =>
    rules.map((rule) => rule({ id, lookup: (key) => details[key] }, { user })).find((answer) => answer !== 'not handled') ?? 'not handled';
  const manage = (user: string, unit: string, verb: string) => may(user, 'org.freedesktop.systemd1.manage-units', { unit, verb });

  test('the server and the person at the console start, stop and restart our services, and nothing else', () => {
    for (const user of ['ledge-server', 'ledge']) {
      for (const verb of ['start', 'stop', 'restart']) expect(manage(user, 'ledge-broker.service', verb)).toBe('yes');
      expect(manage(user, 'ledge-weather.service', 'restart')).toBe('yes');
      for (const verb of ['kill', 'set-property', 'reload-or-restart', 'clean'])
        expect(manage(user, 'ledge-broker.service', verb)).toBe('not handled');
      for (const unit of ['ssh.service', 'NetworkManager.service', 'ledge-x.service.evil.service', 'ledge-../x.service', 'ledge.target'])
        expect(manage(user, unit, 'start'), unit).toBe('not handled');
    }
    for (const user of ['ledge-broker', 'ledge-device', 'ledge-sse', 'ledge-media', 'ledge-setup', 'nobody'])
      expect(manage(user, 'ledge-broker.service', 'restart'), user).toBe('not handled');
  });

  test('what runs at the start or by itself is nobody’s to start', () => {
    const services = ours.map(({ name }) => `ledge-${name}.service`);
    const others = [...units.keys()].filter((name) => name.endsWith('.service') && ![...services, 'ledge-reset.service'].includes(name));
    expect(others.length).toBeGreaterThan(5);
    for (const name of [...others, 'ledge-crash@x.service'])
      for (const verb of ['start', 'stop', 'restart']) expect(manage('ledge-server', name, verb), name).toBe('no');
  });

  test('a factory reset can be started, not stopped', () => {
    expect(manage('ledge-server', 'ledge-reset.service', 'start')).toBe('yes');
    expect(manage('ledge-server', 'ledge-reset.service', 'stop')).toBe('no');
    expect(manage('ledge-media', 'ledge-reset.service', 'start')).toBe('not handled');
  });

  test('power is for the server and the console; name, time zone and network for the set-up, too', () => {
    expect(may('ledge-server', 'org.freedesktop.login1.reboot')).toBe('yes');
    expect(may('ledge-setup', 'org.freedesktop.login1.reboot')).toBe('not handled');
    for (const user of ['ledge-server', 'ledge-setup']) {
      expect(may(user, 'org.freedesktop.hostname1.set-static-hostname')).toBe('yes');
      expect(may(user, 'org.freedesktop.timedate1.set-timezone')).toBe('yes');
      expect(may(user, 'org.freedesktop.NetworkManager.settings.modify.system')).toBe('yes');
    }
    for (const user of ['ledge-broker', 'ledge-device', 'ledge-sse', 'ledge-media'])
      expect(may(user, 'org.freedesktop.NetworkManager.network-control')).toBe('not handled');
    expect(may('ledge-server', 'org.freedesktop.timedate1.set-time')).toBe('not handled');
  });
});
