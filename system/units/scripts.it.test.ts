import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FILES, MISNAMED } from '../provision/formats/index.ts';

const root = join(import.meta.dirname, '..', '..');
const scripts = join(root, 'overlays/rpi/usr/lib/ledge');
const work = mkdtempSync(join(tmpdir(), 'ledge-units-'));
const tools = join(work, 'tools');
afterAll(() => rmSync(work, { recursive: true, force: true }));

const put = (file: string, text = '', mode = 0o644) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  return file;
};
const read = (file: string) => readFileSync(file, 'utf8');
/** A program that writes down how it was called, and prints what is wanted. */
const pretend = (name: string, body = '') =>
  put(join(tools, name), `#!/bin/sh\necho "${name} $*" >>${join(work, 'calls')}\n${body}\n`, 0o755);
const calls = () => (existsSync(join(work, 'calls')) ? read(join(work, 'calls')).trim().split('\n') : []);

function run(script: string, args: string[], environment: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync('sh', [join(scripts, script), ...args], {
    env: { PATH: `${tools}:${process.env.PATH}`, ...environment },
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

beforeEach(() => {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(tools, { recursive: true });
});

test('all scripts of the card are ones that the plain shell understands', () => {
  const files = ['base', 'rpi'].flatMap((name) =>
    globSync('**/*', { cwd: join(root, 'overlays', name), withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => read(file).startsWith('#!/bin/sh')),
  );
  expect(files.length).toBeGreaterThan(6);
  for (const file of files) execFileSync('sh', ['-n', file]);
});

describe('identity', () => {
  let box = '';
  const data = (path: string) => join(box, 'var/lib/ledge', path);
  const release = () => join(box, 'usr/lib/ledge/release.json');
  const start = () => run('identity', [], { ROOT: box });

  beforeEach(() => {
    box = join(work, 'box');
    for (const folder of ['var/lib/ledge/secrets/mqtt', 'var/cache', 'etc/ssh', 'proc/sys/kernel'])
      mkdirSync(join(box, folder), { recursive: true });
    put(
      join(box, 'etc/passwd'),
      ['root', 'ledge-broker', 'ledge-device', 'ledge-sse', 'ledge-media', 'ledge-server', 'ledge-setup', 'ledge', 'ledge-weather']
        .map((name) => `${name}:x:1:1::/:/bin/false\n`)
        .join(''),
    );
    put(join(box, 'etc/hostname'), 'localhost\n');
    put(release(), '{"version":"1.0.0"}');
    pretend('chown');
    pretend('ssh-keygen', 'for last; do :; done\necho key >"$last"; echo public >"$last.pub"');
  });

  test('a first start makes id, name, secrets, host key and first settings', () => {
    expect(start()).toEqual({ status: 0, said: '' });
    const id = read(data('edge-id')).trim();
    expect(id).toMatch(/^ledge-[0-9a-f]{8}$/);
    expect(read(join(box, 'etc/hostname'))).toBe(`${id.slice(0, 10)}\n`);
    expect(read(join(box, 'proc/sys/kernel/hostname'))).toBe(`${id.slice(0, 10)}\n`);
    expect(readdirSync(data('secrets/mqtt')).sort()).toEqual(['broker', 'device', 'media', 'server', 'sse', 'weather']);
    const secrets = readdirSync(data('secrets/mqtt')).map((name) => read(data(`secrets/mqtt/${name}`)));
    expect(new Set(secrets).size).toBe(6);
    for (const secret of [...secrets, read(data('secrets/gateway'))]) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(read(data('ledge.yaml'))).toContain('tlsPort: 8883');
    expect(read(join(box, 'etc/ssh/ssh_host_ed25519_key'))).toBe('key\n');
  });

  test('what is kept of the programs of one release is gone at the first start of another one, and not before', () => {
    for (const name of ['broker', 'my-service']) put(join(box, `var/cache/ledge-${name}/v24/code`));
    const kept = () => globSync('var/cache/**/code', { cwd: box }).length;
    start();
    expect(kept()).toBe(0);
    put(join(box, 'var/cache/ledge-broker/v24/code'));
    start();
    expect(kept()).toBe(1);
    put(release(), '{"version":"1.0.1"}');
    expect(start()).toEqual({ status: 0, said: '' });
    expect(kept()).toBe(0);
  });

  test('secrets are readable by their service and the broker, and by nobody else', () => {
    start();
    expect(calls()).toContain(`chown ledge-device:ledge-broker ${data('secrets/mqtt/device.new')}`);
    expect(calls()).toContain(`chown ledge-server:ledge-server ${data('secrets/gateway.new')}`);
    expect(calls()).toContain(`chown ledge-server:ledge ${data('secrets/kiosk-pass.new')}`);
    expect(statSync(data('secrets/kiosk-pass')).mode & 0o777).toBe(0o640);
    expect(statSync(data('secrets/mqtt/device')).mode & 0o777).toBe(0o640);
    expect(statSync(data('secrets/gateway')).mode & 0o777).toBe(0o600);
    expect(statSync(join(box, 'etc/ssh/ssh_host_ed25519_key')).mode & 0o777).toBe(0o600);
    expect(statSync(data('edge-id')).mode & 0o777).toBe(0o644);
  });

  test('a later start changes nothing and calls nobody', () => {
    start();
    const files = globSync('**/*', { cwd: box, withFileTypes: true }).filter((entry) => entry.isFile());
    const before = files.map((entry) => read(join(entry.parentPath, entry.name)));
    rmSync(join(work, 'calls'));
    expect(start()).toEqual({ status: 0, said: '' });
    expect(files.map((entry) => read(join(entry.parentPath, entry.name)))).toEqual(before);
    expect(calls()).toEqual([]);
  });

  test('a name that somebody chose stays, and the kernel is not told another', () => {
    put(join(box, 'etc/hostname'), 'barn\n');
    start();
    expect(read(join(box, 'etc/hostname'))).toBe('barn\n');
    expect(existsSync(join(box, 'proc/sys/kernel/hostname'))).toBe(false);
  });

  test('wherever the power goes, the next start mends it and loses nothing that was whole', () => {
    start();
    const whole = read(data('edge-id'));
    // cut while files were written: empty ones, drafts, a key without its public half
    writeFileSync(data('secrets/mqtt/sse'), '');
    writeFileSync(data('secrets/gateway.new'), 'half');
    writeFileSync(data('ledge.yaml.new'), 'server:');
    rmSync(join(box, 'etc/ssh/ssh_host_ed25519_key'));
    put(join(box, 'etc/ssh/ssh_host_ed25519_key.made'), 'half');
    expect(start().status).toBe(0);
    expect(read(data('edge-id'))).toBe(whole);
    expect(read(data('secrets/mqtt/sse'))).toMatch(/^[\w-]{43}$/);
    expect(read(join(box, 'etc/ssh/ssh_host_ed25519_key'))).toBe('key\n');
    expect(existsSync(join(box, 'etc/ssh/ssh_host_ed25519_key.made'))).toBe(false);
  });

  test('a draft that a power cut left is not opened again: it may be a service’s already', () => {
    const other = put(join(work, 'other'), 'whole');
    linkSync(other, data('secrets/gateway.new'));
    expect(start().status).toBe(0);
    expect(read(other)).toBe('whole');
    expect(read(data('secrets/gateway'))).toMatch(/^[\w-]{43}$/);
  });

  test('a step that fails is told, and does not leave half a file under the real name', () => {
    pretend('sync', 'exit 5');
    expect(start().status).not.toBe(0);
    expect(existsSync(data('edge-id'))).toBe(false);
  });
});

describe('the state partition', () => {
  const MIB = 1024 * 1024;
  let state = '';
  const sector = (at: number) => {
    const file = openSync(state, 'r');
    const bytes = Buffer.alloc(1024);
    readSync(file, bytes, 0, 1024, at);
    closeSync(file);
    return bytes;
  };

  beforeEach(() => {
    state = put(join(work, 'state'));
    truncateSync(state, 8 * MIB);
    const file = openSync(state, 'r+');
    execFileSync('dd', ['if=/dev/zero', `of=${state}`, 'bs=1M', 'count=8', 'conv=notrunc', 'status=none']);
    closeSync(file);
  });

  test('a start that lasted sets the count of power cycles to zero, and touches one sector', () => {
    execFileSync('sh', ['-c', `printf 'LEDGE-BOOTS 3\\n' | dd of=${state} bs=512 seek=2048 conv=sync,notrunc status=none`]);
    const modified = () => statSync(state).mtimeMs;
    expect(run('boot-complete', [], { STATE: state })).toEqual({ status: 0, said: '' });
    expect(sector(MIB).toString('latin1', 0, 512)).toBe('LEDGE-BOOTS 0\n'.padEnd(512, '\0'));
    expect(
      sector(MIB)
        .subarray(512)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(statSync(state).size).toBe(8 * MIB);
    const once = modified();
    run('boot-complete', [], { STATE: state });
    expect(modified()).toBe(once);
  });

  test('a factory reset is asked for at its place, and it is an error when it cannot be', () => {
    expect(run('ask-reset', [], { STATE: state }).status).toBe(0);
    expect(sector(2 * MIB).toString('latin1', 0, 512)).toBe('LEDGE-RESET api\n'.padEnd(512, '\0'));
    expect(run('ask-reset', [], { STATE: join(work, 'no-folder/state') }).status).not.toBe(0);
  });
});

describe('regdom', () => {
  const file = () => join(work, 'country');
  beforeEach(() => {
    for (const name of ['iw', 'rfkill', 'modprobe', 'chown']) pretend(name);
  });

  test.each([
    ['DE\n', 'iw reg set DE'],
    ['fi', 'iw reg set FI'],
  ])('%j: the kernel is told', (text, call) => {
    put(file(), text);
    expect(run('regdom', [], { FILE: file() }).status).toBe(0);
    expect(calls()).toContain(call);
    expect(calls()).toContain('rfkill unblock wlan');
  });

  test.each(['', 'D', '$(reboot)', '-h', '00', 'Ä'])('%j: the radio keeps its rules', (text) => {
    put(file(), text);
    expect(run('regdom', [], { FILE: file() }).status).toBe(0);
    expect(calls().filter((call) => call.startsWith('iw'))).toEqual([]);
  });

  test('a link is not followed: it could lead to any file of root’s', () => {
    put(join(work, 'secret'), 'DE');
    symlinkSync(join(work, 'secret'), file());
    run('regdom', [], { FILE: file() });
    expect(calls()).toEqual([]);
  });
});

describe('i2c-chips', () => {
  const bus = () => join(work, 'buses/i2c-3');
  const added = () => (existsSync(join(bus(), 'new_device')) ? read(join(bus(), 'new_device')) : '');
  /** The driver of each chip binds at once, when there is one. */
  const start = (text: string) => {
    put(join(work, 'hardware.txt'), text);
    return run('i2c-chips', [], { FILE: join(work, 'hardware.txt'), BUSES: join(work, 'buses') });
  };
  beforeEach(() => {
    put(join(work, 'buses/i2c-0/name'), 'DDC');
    put(join(bus(), 'name'), 'bcm2835 (i2c@7e804000)\n');
    pretend('modprobe', `case $2 in i2c:bme280) mkdir -p ${bus()}/3-0076/driver ;; i2c:sht3x) ;; *) exit 1 ;; esac`);
  });

  test.each(['i2c=bme280@76\n', '# a comment\r\none_wire=4\r\ni2c=BME280@0x76\r\n'])('%j: the kernel is told', (text) => {
    expect(start(text)).toEqual({ status: 0, said: '' });
    expect(added()).toBe('bme280 0x76\n');
  });

  test.each(['', 'one_wire=4\n', '#i2c=bme280@76\n', 'i2c=\n'])('%j: there is nothing to do', (text) => {
    expect(start(text)).toEqual({ status: 0, said: '' });
    expect(calls()).toEqual([]);
  });

  test.each([
    ['i2c=bme280', /bme280 has no address from 03 to 77/],
    ['i2c=bme280@78', /no address from 03 to 77/],
    ['i2c=bme280@7', /no address from 03 to 77/],
    ['i2c=../../x@76', /\.\.\/\.\.\/x@76 is no chip with its address/],
    ['i2c=*@76', /\*@76 is no chip/],
    ['i2c=bme28@76', /no driver for a chip named bme28/],
  ])('%j: it says why not', (text, said) => {
    expect(start(text)).toMatchObject({ status: 1, said: expect.stringMatching(said) });
    expect(added()).toBe('');
  });

  test('a chip that does not answer is told, and the others are tried all the same', () => {
    const { status, said } = start('i2c=bme28@40, sht3x@44 bme280@76');
    expect(status).toBe(1);
    expect(said).toMatch(/nothing that is a sht3x answers at address 44/);
    expect(added()).toBe('bme280 0x76\n');
  });

  test('a bus that knows the chip already is left alone', () => {
    mkdirSync(join(bus(), '3-0076'));
    expect(start('i2c=bme280@76')).toEqual({ status: 0, said: '' });
    expect(added()).toBe('');
  });
});

describe('authorized-keys', () => {
  const keys = () => join(work, 'keys');

  test('keys count when root or the import wrote them', () => {
    put(keys(), 'ssh-ed25519 AAAA\n');
    for (const owner of ['root', 'ledge-setup']) {
      pretend('stat', `echo ${owner}`);
      expect(run('authorized-keys', [], { FILE: keys() }).said).toBe('ssh-ed25519 AAAA\n');
    }
    for (const owner of ['ledge-server', 'ledge', 'UNKNOWN']) {
      pretend('stat', `echo ${owner}`);
      expect(run('authorized-keys', [], { FILE: keys() }).said).toBe('');
    }
  });

  test('no file, no key', () => {
    expect(run('authorized-keys', [], { FILE: keys() })).toEqual({ status: 0, said: '' });
  });
});

describe('crash-keep', () => {
  const ring = () => join(work, 'ring');
  const environment = () => ({
    RING: ring(),
    RUN: join(work, 'run'),
    BOOT: join(work, 'boot.env'),
    ISSUES: join(work, 'issues'),
    WATCHDOG: join(work, 'bootstatus'),
  });
  const keep = (what: string) => run('crash-keep', [what], environment());
  const logs = () => readdirSync(ring()).filter((name) => /^\d+\.log$/.test(name));

  /** A journal whose last lines of the unit are these; all of it is long. */
  const pretendJournal = (lines: string[], own: string[] = []) => {
    put(join(work, 'unit-lines'), lines.map((line) => `${line}\n`).join(''));
    put(join(work, 'own-lines'), own.map((line) => `${line}\n`).join(''));
    pretend(
      'journalctl',
      `case "$*" in *_PID=1*) cat ${work}/unit-lines ;; *_SYSTEMD_UNIT=*) cat ${work}/own-lines ;; *) seq 1 100000 ;; esac`,
    );
  };
  /** What systemd says when a service ends. */
  const ends = (status: string, result: string) => [
    `ledge-x.service: Main process exited, ${status}`,
    `ledge-x.service: Failed with result '${result}'.`,
    'ledge-x.service: Scheduled restart job, restart counter is at 1.',
    'Starting ledge-x.service...',
  ];

  beforeEach(() => {
    for (const folder of [ring(), join(work, 'issues')]) mkdirSync(folder, { recursive: true });
    put(join(work, 'boot.env'), 'SLOT=A\nREASON=normal\nDATA=ok\nNOTE="the data partition was mended; "\n');
    pretend('chgrp');
    pretend('systemctl', 'echo 0');
    pretendJournal([]);
  });

  test('keeps the last lines with the reason, and no more than 256 KiB', () => {
    pretendJournal(ends('code=killed, status=6/ABRT', 'watchdog'));
    expect(keep('ledge-media').status).toBe(0);
    const text = read(join(ring(), '0.log'));
    expect(text).toMatch(/^# \S+Z slot A \(normal\): ledge-media ended \(watchdog, killed 6\/ABRT\)\n/);
    expect(text.endsWith('100000\n')).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(262_144);
    expect(statSync(join(ring(), '0.log')).mode & 0o777).toBe(0o640);
  });

  test('a service that fails again and again does not push out what the others said', () => {
    for (let i = 0; i < 5; i++) keep('ledge-media');
    keep('ledge-sse');
    expect(logs()).toEqual(['0.log', '1.log']);
  });

  test('there are eight files, and the oldest makes room', () => {
    for (let i = 0; i < 8; i++) {
      keep(`ledge-${i}`);
      utimesSync(join(ring(), `${i}.log`), 1000 + ((i + 5) % 8), 1000 + ((i + 5) % 8));
    }
    keep('ledge-next');
    expect(logs()).toHaveLength(8);
    expect(read(join(ring(), '3.log'))).toContain('ledge-next');
  });

  test('a mistake in the settings is told on the consoles', () => {
    pretendJournal(ends('code=exited, status=78/CONFIG', 'exit-code'), [
      '{"level":50,"msg":"before"}',
      String.raw`{"level":60,"err":{"message":"x"},"msg":"broker.yaml:1: port is \"\u001b[31m\"; a number is wanted"}`,
      'not of ours',
    ]);
    keep('ledge-broker');
    expect(read(join(work, 'issues/60-ledge-broker.issue'))).toBe(
      'ledge-broker cannot start: broker.yaml:1: port is "u001b[31m"; a number is wanted\n',
    );
  });

  test('after ten good minutes the pauses between restarts begin anew', () => {
    pretend('systemctl', 'case "$1" in show) echo 1 ;; esac');
    keep('ledge-sse');
    expect(calls()).toContain('systemctl reset-failed ledge-sse.service');
  });

  test('names with anything but letters, digits and a few signs are refused', () => {
    for (const name of ['../etc', 'a b', '', '-rf/']) expect(keep(name).said).toContain('is no name');
    expect(logs()).toEqual([]);
  });

  test('each start leaves one line: how the one before ended', () => {
    const lines = () => read(join(ring(), 'boots.log')).trim().split('\n');
    put(join(work, 'bootstatus'), '0\n');
    keep('boot');
    expect(lines().at(-1)).toMatch(
      /Z slot A normal, data ok; the start before was none, this is the first\. the data partition was mended$/,
    );
    keep('halt');
    keep('boot');
    expect(lines().at(-1)).toContain('ended in good order');
    keep('boot');
    expect(lines().at(-1)).toContain('was cut off');
    put(join(work, 'bootstatus'), '32\n');
    keep('boot');
    expect(lines().at(-1)).toContain('was ended by the watchdog');
    for (let i = 0; i < 60; i++) keep('boot');
    expect(lines()).toHaveLength(50);
  });

  test('the end of a start on trial keeps its lines, as an update may have failed', () => {
    keep('halt');
    expect(logs()).toEqual([]);
    put(join(work, 'boot.env'), 'SLOT=B\nREASON=trial\n');
    keep('halt');
    expect(read(join(ring(), '0.log'))).toContain('slot B (trial)');
  });
});

test('the command for people runs its program with the arguments as they are', () => {
  const command = read(join(root, 'overlays/base/usr/bin/ledge'));
  expect(command.trim().split('\n').at(-1)).toBe('exec /usr/bin/node /usr/lib/ledge/cli.mjs "$@"');
});

test('a card on which somebody wrote anything is imported, under a wrong name too', () => {
  for (const name of [...FILES, ...Object.keys(MISNAMED)]) {
    const card = join(work, name, 'card');
    put(join(card, 'ledge.yaml.example'));
    const changed = () => run('import', ['changed'], { CARD: card, STATE: join(work, name, 'state') }).status;
    expect(changed()).toBe(1);
    put(join(card, name), 'x');
    expect({ name, status: changed() }).toEqual({ name, status: 0 });
  }
});
