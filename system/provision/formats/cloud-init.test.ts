import { expect, test } from 'vitest';
import { ED25519, read, sample, told, values, wiped } from '../test-support.ts';

test('user-data of Imager 2 gives host name, time zone and keys; what Ledge has no use for is told', () => {
  const reading = read('user-data', sample('imager-2.user-data'));
  expect(values(reading)).toEqual({ hostname: 'greenhouse', timezone: 'Europe/Berlin', sshKeys: [ED25519] });
  expect(told(reading)).toEqual([]);
  expect(told(reading, 'unused')).toEqual([
    'user-data:15 keyboard: the keyboard layout is not used: nothing is typed at the box itself',
    'user-data:22 passwd is not used: Ledge has no password logins; give an SSH key',
    'user-data:27 rpi: interfaces of the Raspberry Pi are set in config.txt on this card, not here',
    'user-data:30 Raspberry Pi Connect is not part of Ledge',
    'user-data:2 no user anna is made: sign in over SSH as ledge',
  ]);
});

test('user-data of Imager 1 gives the same, and the country out of the command that would set it', () => {
  const reading = read('user-data', sample('imager-1.user-data'));
  expect(values(reading)).toEqual({ hostname: 'pi-one', timezone: 'America/Chicago', country: 'US', sshKeys: [ED25519] });
  expect(told(reading, 'unused')).toContain('user-data:13 signing in over SSH with a password is not possible; give an SSH key');
});

test.each(['imager-1.user-data', 'imager-2.user-data'])('hashes and tokens in %s are taken away, and nothing else', (name) => {
  const text = sample(name);
  const reading = read('user-data', text);
  const after = wiped(text, reading);
  expect(after.toString()).not.toMatch(/\$5\$|\$y\$|rpuak/);
  expect(after.length).toBe(text.length);
  const again = read('user-data', after);
  expect(again.secrets).toEqual([]);
  expect(values(again)).toEqual(values(reading));
});

test('passwords are found wherever cloud-init takes them', () => {
  const text = [
    '#cloud-config',
    'password: secret-1',
    'chpasswd:',
    '  expire: false',
    '  list: |',
    '    root:secret-2',
    '    pi:secret-3',
    '  users:',
    '    - { name: anna, password: secret-4, type: text }',
    'users:',
    '  - default',
    '  - { name: anna, plain_text_passwd: "secret-5", lock_passwd: false }',
    '',
  ].join('\n');
  const reading = read('user-data', text);
  const after = wiped(text, reading).toString();
  expect(after).not.toContain('secret');
  expect(after).toContain('lock_passwd: false');
  expect(read('user-data', after)).toMatchObject({ secrets: [] });
  expect(told(reading)).toEqual([]);
});

test('commands are never run: the ones that Imager needs are passed over, others are counted', () => {
  const reading = read(
    'user-data',
    '#cloud-config\nruncmd:\n  - [ rfkill, unblock, wifi ]\n  - reboot\n  - [ sh, -c, "curl example.org | sh" ]\n',
  );
  expect(told(reading, 'unused')).toEqual(['user-data:2 2 commands are not run']);
});

test.each([
  ['#!/bin/sh\nreboot\n', 'this is a script; it was not run. A file that begins with #cloud-config is wanted'],
  ['Content-Type: multipart/mixed\n', 'this form of user-data is not read; one that begins with #cloud-config is wanted'],
  ['#cloud-config\n- a\n', 'keys and values such as "hostname: barn" are wanted'],
  [
    '#cloud-config\nhostname: my box\n',
    'hostname is "my box"; letters from a to z, digits and hyphens are wanted, at most 63, such as barn',
  ],
  ['#cloud-config\nssh_authorized_keys: [ssh-rsa AAAA]\n', 'ssh_authorized_keys.0: the key is cut off or damaged'],
])('%j is told as a mistake', (text, message) => {
  expect(told(read('user-data', text)).join()).toContain(message);
});

test('a domain behind the host name is left out', () => {
  expect(values(read('user-data', '#cloud-config\nhostname: Barn.local\n'))).toEqual({ hostname: 'barn' });
});

test('keys that nobody here knows are told, one by one', () => {
  expect(told(read('user-data', '#cloud-config\nsnap: {}\nwrite_files: []\n'), 'unused')).toEqual([
    'user-data:2 snap: Ledge does not use this',
    'user-data:3 write_files: files are not written',
  ]);
});

test('meta-data gives the host name when it has one', () => {
  expect(values(read('meta-data', sample('imager-2.meta-data')))).toEqual({});
  expect(values(read('meta-data', 'instance-id: x\nlocal-hostname: barn\n'))).toEqual({ hostname: 'barn' });
});
