import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Card, REPORT_FILE } from './card.ts';
import { DiskFiles } from './data-files.ts';
import { FILES } from './formats/index.ts';
import { REPORT_JSON, STATE_FILE } from './import.ts';
import { Box } from './import-test-support.ts';
import { screenText } from './report.ts';
import { ED25519, sample } from './test-support.ts';

test('everything that the card asks for is there afterwards, and its passwords are gone from it', async () => {
  using box = new Box();
  box.put('ledge.yaml', sample('ledge.yaml'));
  const report = await box.import();

  expect(report.outcomes.every(({ result }) => result === 'done')).toBe(true);
  expect(box.kept('settings/edge.yaml')).toBe('name: Barn\n');
  expect(box.kept('system/country')).toBe('FR\n');
  expect(box.kept('system/language')).toBe('fr\n');
  expect(box.kept('system/hotspot-key')).toBe("it's a secret\n");
  expect(box.kept('system/authorized_keys')).toBe(`${ED25519}\n`);
  expect(JSON.parse(box.kept('secrets/first-admin') ?? '')).toEqual({ password: 'battery-staple-42' });
  expect(box.machine.settings).toEqual({ hostname: 'barn', prettyName: 'Barn', timezone: 'Europe/Paris' });
  expect([...box.machine.profiles.keys()]).toEqual(['Home', 'Café "2"', 'Garden']);
  const modes = ['system/hotspot-key', 'secrets/first-admin', 'settings/edge.yaml', 'system/authorized_keys'];
  expect(modes.map((path) => (statSync(join(box.data, path)).mode & 0o777).toString(8))).toEqual(['640', '640', '660', '644']);

  expect(box.get('ledge.yaml')).not.toMatch(/horse|staple|it''s/);
  expect(box.get('ledge.yaml')).toContain('ssid: Home');
  expect(report.wiped).toBe(4);
});

test('the report on the card says what was done, where, and what to correct', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'name: Barn\ncountry: XX\nwifi: { ssid: Home, password: correct horse }\n');
  box.put('user-data', '#cloud-config\nhostname: shed\nkeyboard: { layout: de }\n');
  await box.import();
  expect(box.get(REPORT_FILE).trimEnd().split('\r\n')).toEqual([
    'LEDGE: WHAT BECAME OF THE FILES ON THIS CARD',
    '',
    'Box       ledge-a1b2c3d4',
    'Address   http://shed.local/   (from a computer in the same network)',
    "Written   2026-11-24 05:00 UTC, by the box's clock at its start",
    'Files     ledge.yaml, user-data',
    '',
    'TO BE CORRECTED',
    '  ledge.yaml:2  country is "XX"; the two letters of a country as in ISO 3166 are wanted, such as DE, FR or GB',
    '',
    'DONE',
    '  user-data:2  host name shed',
    '  ledge.yaml:1  name "Barn"',
    '  ledge.yaml:3  Wi-Fi "Home"',
    '',
    'NOT USED',
    '  user-data:3  keyboard: the keyboard layout is not used: nothing is typed at the box itself',
    '',
    'PASSWORDS',
    '  One was taken and overwritten with stars. To change one, write a new one over the stars.',
  ]);
});

test('neither report has a secret in it', async () => {
  using box = new Box();
  for (const name of ['ledge.yaml', 'custom.toml', 'firstrun.sh', 'wpa_supplicant.conf', 'userconf.txt']) box.put(name, sample(name));
  box.put('user-data', sample('imager-2.user-data'));
  box.put('network-config', sample('imager-2.network-config'));
  await box.import();
  for (const text of [box.get(REPORT_FILE), box.kept(REPORT_JSON) ?? '']) {
    expect(text).not.toMatch(/horse|staple|it's a|474ba8|\$y\$|\$5\$|\$6\$|rpuak/);
    expect(text).toContain('host name barn');
  }
  for (const name of FILES)
    if (existsSync(join(box.root, name))) expect(box.get(name)).not.toMatch(/horse|staple|474ba8|\$y\$|\$5\$|\$6\$|rpuak/);
});

test('what was seen is remembered, and a second import changes nothing', async () => {
  using box = new Box();
  box.put('ledge.yaml', sample('ledge.yaml'));
  await box.import();
  const state = box.kept(STATE_FILE);
  expect(state).toBe(new Card(box.root).checksums(FILES));
  const profiles = new Map(box.machine.profiles);
  const card = box.get('ledge.yaml');
  const again = await box.import();
  expect(again.wiped).toBe(0);
  expect(again.notes).toEqual([]);
  expect(box.machine.profiles).toEqual(profiles);
  expect(box.get('ledge.yaml')).toBe(card);
  expect(box.kept('system/hotspot-key')).toBe("it's a secret\n");
});

test('a new password over the stars replaces the old one; others stay', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'wifi: { ssid: Home, password: correct horse }\nadminPassword: battery staple\n');
  await box.import();
  box.put('ledge.yaml', box.get('ledge.yaml').replace(/password: "\*+"/, 'password: another horse'));
  const report = await box.import();
  expect(box.machine.profiles.get('Home')?.key).toEqual({ kind: 'passphrase', value: 'another horse' });
  expect(report.wiped).toBe(1);
  expect(JSON.parse(box.kept('secrets/first-admin') ?? '')).toEqual({ password: 'battery staple' });
});

test('what fails keeps its password on the card and is tried again; the rest is done', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'wifi: { ssid: Home, password: correct horse }\nhotspotKey: a long secret\n');
  box.machine.failing.add('putWifi');
  const report = await box.import();
  expect(report.outcomes.map(({ what, result }) => [what, result])).toEqual([
    ['password of the set-up Wi-Fi', 'done'],
    ['Wi-Fi "Home"', 'failed'],
  ]);
  expect(box.get('ledge.yaml')).toContain('correct horse');
  expect(box.get('ledge.yaml')).not.toContain('a long secret');
  expect(box.kept(STATE_FILE)).toBeUndefined();
  expect(box.get(REPORT_FILE)).toContain('TRIED AGAIN AT THE NEXT START');

  box.machine.failing.clear();
  await box.import();
  expect(box.machine.profiles.has('Home')).toBe(true);
  expect(box.get('ledge.yaml')).not.toContain('correct horse');
});

test('a name that cannot be made the pretty host name is the name all the same', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'name: Barn\n');
  box.machine.failing.add('setPrettyName');
  expect((await box.import()).outcomes).toMatchObject([{ wish: 'name', result: 'done' }]);
  expect(box.warnings).toEqual(["the name is not the machine's pretty host name: setPrettyName is not possible now"]);
});

test('after a factory reset the stars on the card are told to be no password', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'wifi: { ssid: Home, password: "*************" }\n');
  const report = await box.import();
  expect(report.outcomes).toMatchObject([{ result: 'impossible' }]);
  expect(box.get(REPORT_FILE)).toContain(
    'ledge.yaml:1  Wi-Fi "Home": its password was taken at an earlier start and is not here any more; write it again',
  );
  expect(box.kept(STATE_FILE)).toBeDefined();
});

test('a card that cannot be written is told, and what it asks for is done', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'name: Barn\nhotspotKey: a long secret\n');
  const text = box.get('ledge.yaml');
  box.brokenCard = true;
  const report = await box.import();
  expect(report.problems).toEqual(['the passwords in ledge.yaml could not be overwritten: EROFS: read-only file system']);
  expect(box.get('ledge.yaml')).toBe(text);
  expect(box.kept('settings/edge.yaml')).toBe('name: Barn\n');
  expect(box.kept(STATE_FILE)).toBeUndefined();
});

test('without a report file on the card the rest works, and it is said', async () => {
  using box = new Box();
  box.put(REPORT_FILE, 'tiny');
  box.put('ledge.yaml', 'name: Barn\n');
  const report = await box.import();
  expect(report.problems).toEqual([]);
  expect(box.warnings).toEqual(['ledge-report.txt is missing on the card or has less than 2 KiB; the report is only here']);
  expect(box.kept(STATE_FILE)).toBeDefined();
});

test('an empty card gives a report with the address of the box', async () => {
  using box = new Box();
  const report = await box.import();
  expect(report).toMatchObject({ files: [], outcomes: [], notes: [], problems: [] });
  expect(box.get(REPORT_FILE)).toContain('http://ledge-a1b2.local/');
  expect(box.kept(STATE_FILE)).toBe('');
});

test('files by another name than ours are told', async () => {
  using box = new Box();
  box.put('ledge.yaml.txt', 'name: Barn\n');
  expect((await box.import()).notes).toEqual([
    { kind: 'mistake', file: 'ledge.yaml.txt', message: 'the name is ledge.yaml.txt, so it was not read; ledge.yaml is wanted' },
  ]);
});

test('an empty list of keys takes the file of keys away', async () => {
  using box = new Box();
  box.put('ledge.yaml', `sshKey: ${ED25519}\n`);
  await box.import();
  box.put('ledge.yaml', 'sshKey: []\n');
  await box.import();
  expect(box.kept('system/authorized_keys')).toBeUndefined();
});

test('other settings of the box stay when its name changes', async () => {
  using box = new Box();
  mkdirSync(join(box.data, 'settings'));
  writeFileSync(join(box.data, 'settings', 'edge.yaml'), 'colour: red\nname: Old\n');
  box.put('ledge.yaml', 'name: Barn\n');
  await box.import();
  expect(box.kept('settings/edge.yaml')).toBe('colour: red\nname: Barn\n');
});

test('a file that was laid for us in a folder that is not ours is written over', async () => {
  using box = new Box();
  const secrets = join(box.data, 'secrets');
  mkdirSync(secrets);
  writeFileSync(join(secrets, 'first-admin'), 'something longer than what comes now, by far');
  box.put('ledge.yaml', 'adminPassword: battery staple\n');
  using _ = notOwning(box, secrets);
  await box.import();
  expect(box.kept('secrets/first-admin')).toBe('{"password":"battery staple"}\n');
});

/** Makes a folder one that this user may not write to; root becomes somebody else for the time. */
function notOwning(box: Box, folder: string): Disposable {
  const root = process.getuid?.() === 0;
  if (root) {
    for (const entry of [box.root, ...readdirSync(box.root, { recursive: true, encoding: 'utf8' }).map((name) => join(box.root, name))]) {
      chownSync(entry, NOBODY, NOBODY);
    }
  }
  chmodSync(folder, 0o500);
  if (root) process.seteuid?.(NOBODY);
  return {
    [Symbol.dispose]() {
      if (root) process.seteuid?.(0);
      chmodSync(folder, 0o700);
    },
  };
}
const NOBODY = 65534;

test('the screen of the box tells what is to be corrected, in a few short lines without a backslash', async () => {
  using box = new Box();
  box.put('ledge.yaml', `country: xx\nlanguage: 'a\\4'\n${'abcdefgh'.replaceAll(/./g, (key) => `${key}${key}: 1\n`)}`);
  const lines = (screenText(await box.import()) ?? '').split('\n');
  expect(lines.slice(0, 3)).toEqual([
    '   To be corrected on the card (all of it: ledge-report.txt there):',
    '   ledge.yaml:1  country is "xx"; the two letters of a country as in ISO 3166 a',
    '   ledge.yaml:2  language is "a??4"; one of en, fr is wanted',
  ]);
  expect(lines).toHaveLength(7);
  for (const line of lines) expect(line.length).toBeLessThan(80);
  box.put('ledge.yaml', 'country: FR\n');
  expect(screenText(await box.import())).toBeUndefined();
});

test('a file as large as the card is told and never read into memory', async () => {
  using box = new Box();
  box.put('user-data', '');
  truncateSync(join(box.root, 'user-data'), 80 * 2 ** 20);
  box.put('ledge.yaml', 'name: Barn\n');
  const before = process.memoryUsage().arrayBuffers;
  const report = await box.import();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 2 ** 20);
  expect(report.notes).toMatchObject([{ file: 'user-data', message: expect.stringContaining('83886080 bytes; at most 131072') }]);
  expect(box.kept(STATE_FILE)).toContain('  user-data\n');
});

test('a plan to overwrite what is no file of the import is none', async () => {
  using box = new Box();
  const script = 'a'.repeat(1024);
  box.put('boot.scr', script);
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const patched = `${'b'.repeat(512)}${'a'.repeat(512)}`;
  for (const file of ['boot.scr', '../data/system/authorized_keys']) {
    const plan = [
      { file, before: [sha('other'), sha('a'.repeat(512))], after: sha(patched), patches: [{ start: 0, text: 'b'.repeat(512) }] },
    ];
    mkdirSync(join(box.data, 'setup'), { recursive: true });
    writeFileSync(join(box.data, 'setup/import-wipe'), JSON.stringify(plan));
    await box.import();
    expect(box.get('boot.scr')).toBe(script);
  }
});

test('a link that somebody laid where a file is to be written, or read, leads nowhere', async () => {
  using box = new Box();
  const [settings, target] = [join(box.data, 'settings'), join(box.data, 'keys')];
  mkdirSync(settings, { recursive: true });
  writeFileSync(target, 'untouched');
  const files = new DiskFiles(box.data);
  symlinkSync(target, join(settings, 'edge.yaml'));
  expect(() => files.read('settings/edge.yaml')).toThrow(/ELOOP/);
  files.write('settings/edge.yaml', 'name: Barn\n', 0o660);
  expect(readFileSync(join(settings, 'edge.yaml'), 'utf8')).toBe('name: Barn\n');
  expect(readFileSync(target, 'utf8')).toBe('untouched');
});

test('a file that cannot be read is told, and the others are taken all the same', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'name: Barn\n');
  box.put('user-data', '#cloud-config\nhostname: shed\n');
  box.unreadable.add('user-data');
  const report = await box.import();
  expect(box.kept('settings/edge.yaml')).toBe('name: Barn\n');
  expect(report.problems).toEqual(['user-data cannot be read: EIO: i/o error']);
  expect(box.get(REPORT_FILE)).toContain('user-data cannot be read');
  // it is tried again at the next start
  expect(box.kept(STATE_FILE)).toBeUndefined();
});
