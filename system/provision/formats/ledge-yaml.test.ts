import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ED25519, HOME_PSK, read, sample, told, values, wiped, ZONEINFO } from '../test-support.ts';
import { ledgeSchema } from './ledge-yaml.ts';

test('every key is taken, with its place', () => {
  const reading = read('ledge.yaml', sample('ledge.yaml'));
  expect(values(reading)).toEqual({
    name: 'Barn',
    hostname: 'barn',
    country: 'FR',
    timezone: 'Europe/Paris',
    language: 'fr',
    admin: { password: 'battery-staple-42' },
    sshKeys: [ED25519],
    hotspotKey: "it's a secret",
    wifi: [
      { ssid: 'Home', key: { kind: 'passphrase', value: 'correct horse' }, hidden: false },
      { ssid: 'Café "2"', key: { kind: 'passphrase', value: 'staple "42" é' }, hidden: true },
      { ssid: 'Garden', key: { kind: 'open' }, hidden: false },
    ],
  });
  expect(reading.says.timezone).toMatchObject({ file: 'ledge.yaml', line: 5 });
  expect(reading.notes).toEqual([]);
});

test('what a person writes without quotes is what it looks like', () => {
  const reading = read('ledge.yaml', 'country: NO\nwifi: { ssid: 1234, password: 0123456789, hidden: yes }\nname: 2024\n');
  expect(values(reading)).toEqual({
    country: 'NO',
    name: '2024',
    wifi: [{ ssid: '1234', key: { kind: 'passphrase', value: '0123456789' }, hidden: true }],
  });
});

test('each mistake is told with line, key, value and what is wanted, and the rest is taken', () => {
  const reading = read(
    'ledge.yaml',
    [
      'name: Barn',
      'country: XX',
      'timezone: Europe/Atlantis',
      'language: de',
      'hostname: my_box',
      'colour: blue',
      'wifi:',
      '  - { ssid: Home, password: correct horse, band: 5 }',
      '  - { ssid: Short, password: hunter2 }',
      '  - { password: correct horse }',
      '  - { ssid: a name that has more than 32 bytes in it, password: correct horse }',
      'hotspotKey: short',
      'sshKey: ssh-ed25519 AAAA',
      'adminPassword: tooshort',
      'adminPasswordHash: md5$1$2',
    ].join('\n'),
  );
  expect(values(reading)).toEqual({
    name: 'Barn',
    wifi: [{ ssid: 'Home', key: { kind: 'passphrase', value: 'correct horse' }, hidden: false }],
  });
  expect(told(reading)).toEqual([
    'ledge.yaml:2 country is "XX"; the two letters of a country as in ISO 3166 are wanted, such as DE, FR or GB',
    'ledge.yaml:3 timezone is "Europe/Atlantis"; a time zone such as Europe/Paris or Etc/UTC is wanted',
    'ledge.yaml:4 language is "de"; one of en, fr is wanted',
    'ledge.yaml:5 hostname is "my_box"; letters from a to z, digits and hyphens are wanted, at most 63, such as barn',
    'ledge.yaml:6 colour is not known here; known are name, hostname, wifi, country, timezone, language, adminPassword, adminPasswordHash, sshKey, hotspotKey',
    'ledge.yaml:8 wifi.0.band is not known here; known are ssid, password, hidden',
    'ledge.yaml:9 wifi.1.password: it has 7 characters; 8 to 63 are wanted, or 64 hexadecimal digits',
    "ledge.yaml:10 wifi.2.ssid is missing; the network's name is wanted",
    `ledge.yaml:11 wifi.3.ssid is "a name that has more than 32 bytes in it"; a network's name has 1 to 32 bytes`,
    'ledge.yaml:12 hotspotKey: it has 5 characters; 8 to 63 are wanted, of those on an English keyboard',
    'ledge.yaml:13 sshKey: the key is cut off or damaged',
    'ledge.yaml:14 adminPassword: it has 8 characters; 10 to 1024 are wanted',
    'ledge.yaml:15 adminPasswordHash: a hash as scrypt$N$r$p$salt$key is wanted, with N from 16384 and salt and key in base64url',
  ]);
});

test('no message repeats a secret', () => {
  const secrets = ['hunter2', 'shortie', 'hush', 'scrypt$weak'];
  const [wifi, hotspot, admin, hash] = secrets;
  const reading = read(
    'ledge.yaml',
    `wifi: { ssid: Home, password: ${wifi} }\nhotspotKey: ${hotspot}\nadminPassword: ${admin}\nadminPasswordHash: ${hash}\nsshKey: "-----BEGIN OPENSSH PRIVATE KEY-----"\n`,
  );
  expect(told(reading)).toHaveLength(5);
  for (const secret of [...secrets, 'BEGIN']) expect(JSON.stringify(reading.notes)).not.toContain(secret);
});

test.each([
  ['an alias', 'adminPassword: *Secret12345\nwifi: { ssid: Home, password: *Secret12345 }\n'],
  ['a tag', 'hotspotKey: !My!Secret12345\n'],
  ['a tag without an end', 'hotspotKey: !Secret12345!\n'],
  ['an escape', 'hotspotKey: "Se\\Secret12345"\n'],
  ['too many quotes', 'hotspotKey: "x" Secret12345\n'],
  [
    'the lines of a private key',
    `sshKey: |\n  -----BEGIN OPENSSH PRIVATE KEY-----\n  ${'Secret12345'.repeat(5)}\n  -----END OPENSSH PRIVATE KEY-----\n`,
  ],
  ['such a line alone', `sshKey: [${'Secret12345'.repeat(5)}]\n`],
])('a secret that YAML takes for something else is told and not repeated: %s', (_, text) => {
  const { notes } = read('ledge.yaml', text);
  expect(notes.length).toBeGreaterThan(0);
  expect(JSON.stringify(notes)).not.toMatch(/Secret|12345/);
});

test.each([
  'wifi: { ssid: Home, passwrd: correct horse }',
  'wifi: { ssid: Home, psk: correct horse }',
  'wifi: { ssid: Home, password: *correct }',
  'wifi: { ssid: Home, password: }',
])('a network whose password was not understood is no open network: %s', (text) => {
  const reading = read('ledge.yaml', text);
  expect(values(reading)).toEqual({});
  expect(told(reading).length).toBeGreaterThan(0);
});

test('a password that the server would refuse as easy to guess stays on the card, and is told', () => {
  for (const [text, why] of [
    ['adminPassword: raspberry123', /too easy to guess: it is one of the passwords that are tried first/],
    ['adminPassword: abababababab', /too easy to guess: it repeats/],
    ['name: Barn\nadminPassword: barn12barn99', /too easy to guess/],
  ] as const) {
    const reading = read('ledge.yaml', text);
    expect(reading.says.admin, text).toBeUndefined();
    expect(reading.secrets).toEqual([]);
    expect(told(reading)).toEqual([expect.stringMatching(why)]);
  }
});

test('a wrong secret stays on the card, where its owner can correct it', () => {
  expect(read('ledge.yaml', 'wifi: { ssid: Home, password: hunter2 }\nhotspotKey: short\n').secrets).toEqual([]);
});

test('a hash is taken in the place of a password, and of both the password', () => {
  const hash = 'scrypt$32768$8$1$BwcHBwcHBwcHBwcHBwcHBw$oAvjHzeSO8Da_RC8S3HF_m_tMqwDG7ciZ1LASfBXZhc';
  expect(values(read('ledge.yaml', `adminPasswordHash: ${hash}`))).toEqual({ admin: { hash } });
  const both = read('ledge.yaml', `adminPasswordHash: ${hash}\nadminPassword: battery-staple\n`);
  expect(values(both)).toEqual({ admin: { password: 'battery-staple' } });
  expect(told(both)).toEqual(['ledge.yaml:1 adminPassword is there too, and was taken; one of the two is wanted']);
  expect(both.secrets).toHaveLength(2);
});

test('a hash that takes too much memory to check is refused', () => {
  const reading = read(
    'ledge.yaml',
    `adminPasswordHash: scrypt$1048576$8$1$BwcHBwcHBwcHBwcHBwcHBw$oAvjHzeSO8Da_RC8S3HF_m_tMqwDG7ciZ1LASfBXZhc`,
  );
  expect(told(reading)).toEqual(['ledge.yaml:1 adminPasswordHash: checking it would take 1024 MiB; at most 64 are wanted']);
});

test('a ready-made key of 64 digits is a key, and upper case does not matter', () => {
  const reading = read('ledge.yaml', `wifi: { ssid: Home, password: ${HOME_PSK.toUpperCase()} }`);
  expect(reading.says.wifi[0]?.value.key).toEqual({ kind: 'psk', value: HOME_PSK });
});

test('stars are no password: that one was taken at an earlier start', () => {
  const text = sample('ledge.yaml');
  const again = read('ledge.yaml', wiped(text, read('ledge.yaml', text)));
  expect(again.notes).toEqual([]);
  expect(again.secrets).toEqual([]);
  expect(again.says.admin).toBeUndefined();
  expect(again.says.hotspotKey).toBeUndefined();
  expect(again.says.wifi.map(({ value }) => value.key.kind)).toEqual(['taken', 'taken', 'open']);
  expect(again.says.name?.value).toBe('Barn');
});

test('a new password over the stars is taken', () => {
  const stars = wiped('hotspotKey: old secret\n', read('ledge.yaml', 'hotspotKey: old secret\n')).toString();
  expect(stars).toBe('hotspotKey: "********"\n');
  expect(read('ledge.yaml', stars.replace(/"\*+"/, 'a new secret')).says.hotspotKey?.value).toBe('a new secret');
});

test('several keys may stand in a list or in lines, and one that is wrong leaves the others', () => {
  const list = read('ledge.yaml', `sshKey:\n  - ${ED25519}\n  - ssh-dss AAAA\n`);
  expect(list.says.sshKeys?.value).toEqual([ED25519]);
  expect(told(list)).toEqual(['ledge.yaml:3 sshKey.1: it begins with "ssh-dss"; a type such as ssh-ed25519 is wanted first']);
  expect(read('ledge.yaml', `sshKey: |\n  # mine\n  ${ED25519}\n\n  ${ED25519}\n`).says.sshKeys?.value).toEqual([ED25519, ED25519]);
  expect(read('ledge.yaml', 'sshKey: []').says.sshKeys?.value).toEqual([]);
  expect(read('ledge.yaml', 'sshKey: [nonsense]').says.sshKeys).toBeUndefined();
});

test('line ends of Windows and a byte order mark change nothing', () => {
  const text = sample('ledge.yaml').toString();
  const windows = Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`);
  const reading = read('ledge.yaml', windows);
  expect(values(reading)).toEqual(values(read('ledge.yaml', text)));
  const after = wiped(windows, reading).toString();
  expect(after).not.toMatch(/horse|staple|secret/);
  expect(after.replaceAll(/["'*]+/g, '').length).toBeGreaterThan(0);
  expect(read('ledge.yaml', after).notes).toEqual([]);
});

test.each([
  ['UTF-16', Buffer.from('\ufeffname: Barn', 'utf16le'), 'the file is in UTF-16; save it as UTF-8 (Notepad: Save as, Encoding: UTF-8)'],
  ['Latin-1', Buffer.from('name: Barn\nwifi: { ssid: Caf\xe9 }\n', 'latin1'), '2 a character here is not in UTF-8; save the file as UTF-8'],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]), 'the file is binary; text is wanted'],
  ['1 MiB', Buffer.alloc(1 << 20, 'a'), 'the file has 1048576 bytes; at most 131072 are wanted, so it was not read'],
  ['a list without end', Buffer.from(`name: [${'x,'.repeat(30_000)}`), 'the file has more than 20000 words and signs, so it was not read'],
  ['lists in lists', Buffer.from('- '.repeat(9_000)), 'nothing of this file was taken'],
  [
    'brackets in brackets',
    Buffer.from(`name: ${'['.repeat(9_000)}${']'.repeat(9_000)}`),
    'the file has brackets in more than 20 brackets, so it was not read',
  ],
  ['a list', Buffer.from('- name: Barn\n'), '1 keys and values such as "name: Barn" are wanted'],
  ['a mistake of YAML', Buffer.from('name: Barn\n  wifi: x: y\n'), 'nothing of this file was taken'],
  ['the same key twice', Buffer.from('name: Barn\nname: Shed\n'), '2 Map keys must be unique; nothing of this file was taken'],
])('%s is told clearly, and nothing of it is taken', (_, bytes, message) => {
  const reading = read('ledge.yaml', bytes);
  expect(told(reading).join('\n')).toContain(message);
  expect(values(reading)).toEqual({});
  expect(reading.secrets).toEqual([]);
});

test('aliases, of which bombs are made, are told and not followed', () => {
  const bomb = 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nname: Barn\nhotspotKey: *c\n';
  const reading = read('ledge.yaml', bomb);
  expect(values(reading)).toEqual({ name: 'Barn' });
  expect(told(reading)).toContain(
    'ledge.yaml:5 hotspotKey begins with *, which is an alias in YAML and is not followed; the value in quotes is wanted',
  );
});

test.each(['', '\n', '# nothing yet\n#name: Barn\n', '---\n...\n'])('a file without a key (%j) says nothing', (text) => {
  expect(read('ledge.yaml', text)).toMatchObject({ notes: [], secrets: [] });
});

test('a key without a value, and a network twice, are told', () => {
  expect(told(read('ledge.yaml', 'name:\nwifi: [{ ssid: A }, { ssid: A, password: correct horse }]\nhostname: ~\n'))).toEqual([
    'ledge.yaml:1 name is ""; a name of 1 to 64 characters is wanted, such as Barn',
    'ledge.yaml:2 this network is in the list already; only the first one is taken',
    'ledge.yaml:3 hostname is "~"; letters from a to z, digits and hyphens are wanted, at most 63, such as barn',
  ]);
});

test('the example on the card has every key, says nothing as it is, and is right once its marks are taken away', () => {
  const example = readFileSync(join(import.meta.dirname, '../../../image/boot/ledge.yaml.example'), 'utf8');
  expect(read('ledge.yaml', example)).toMatchObject({ notes: [], secrets: [] });
  const keys = [...example.matchAll(/^#([A-Za-z]+):/gm)].map(([, key]) => key);
  expect([...new Set(keys)].sort()).toEqual(Object.keys(ledgeSchema(ZONEINFO).shape).sort());
  // of what is there twice, or one or the other, the first
  const chosen = example
    .replace(/# Several networks:\n(#.*\n)+/, '')
    .replace(/^#adminPasswordHash:.*\n/m, '')
    .replace('ssh-ed25519 AAAA... you@your-computer', ED25519)
    .replaceAll(/^#(?! )(.*)$/gm, '$1')
    .replaceAll(/^#( {2}\S.*)$/gm, '$1');
  const reading = read('ledge.yaml', chosen);
  expect(reading.notes).toEqual([]);
  expect(Object.keys(values(reading)).sort()).toEqual(
    ['admin', 'country', 'hostname', 'hotspotKey', 'language', 'name', 'sshKeys', 'timezone', 'wifi'].sort(),
  );
});
