import { parseBootFacts, parseRelease } from '@ledge/host/linux/image-facts.ts';
import { expect, test } from 'vitest';
import { keeps } from './checks/box.ts';
import { shortened } from './checks/journal.ts';
import { parseRaucStatus } from './checks/slots.ts';
import { mountOf, parseMounts } from './mounts.ts';
import { messageOf, parseJournal, parseSpan, parseUnits } from './systemd.ts';
import { size, some, span } from './words.ts';

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [90, '1 min 30 s'],
  [3600, '1 h'],
  [86_400 * 3 + 3600 * 4 + 59, '3 d 4 h'],
])('%d seconds are %s', (seconds, words) => expect(span(seconds)).toBe(words));

test.each([
  [10, '10 B'],
  [43_000_000, '41 MB'],
  [1.5 * 1024 ** 3, '1.5 GB'],
  [32 * 1024 ** 3, '32 GB'],
])('%d bytes are %s', (bytes, words) => expect(size(bytes)).toBe(words));

test('of many names a few are said', () => {
  expect(some(['a', 'b'])).toBe('a, b');
  expect(some(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a, b, c, d and 2 more');
});

test.each([
  ['30s', 30],
  ['1min 30s', 90],
  ['500ms', 0.5],
  ['0', 0],
  ['15000000', 15],
  ['infinity', Number.POSITIVE_INFINITY],
  ['soon', undefined],
  [undefined, undefined],
])('systemd means by %s %s seconds', (text, seconds) => expect(parseSpan(text)).toBe(seconds));

test('units are read by their id; values may hold equals signs', () => {
  const units = parseUnits('Id=a.service\nResult=success\n\nId=b.service\nText=x=y\n\n');
  expect([...units.keys()]).toEqual(['a.service', 'b.service']);
  expect(units.get('b.service')?.Text).toBe('x=y');
});

test('the journal is read line by line, whatever stands between', () => {
  const text = '-- No entries --\n{"MESSAGE":"on","UNIT":"a.service","__REALTIME_TIMESTAMP":"2000"}\n{"MESSAGE":"cut o';
  expect(parseJournal(text)).toEqual([{ message: 'on', unit: 'a.service', timeMs: 2 }]);
  expect(messageOf([104, 105])).toBe('hi');
  expect(messageOf(['one', 'two'])).toBe('one two');
  expect(messageOf(null)).toBe('');
});

test('a long message is cut, one of ours is told in its own words', () => {
  expect(shortened('{"level":50,"msg":"no sound"}')).toBe('no sound');
  expect(shortened('x'.repeat(500))).toHaveLength(160);
});

test('of several mounts the deepest, and of those the last, holds a path', () => {
  const mounts = parseMounts(
    '1 0 0:1 / / ro - overlay overlay ro\n2 1 8:1 / /var rw - ext4 /dev/sda1 rw\n3 1 8:2 / /var rw - tmpfs tmpfs rw\n4 1 8:2 / /variant rw - tmpfs x rw\n5 1 8:3 / /my\\040disk rw - vfat /dev/sdb1 rw',
  );
  expect(mountOf(mounts, '/var/lib/ledge')?.type).toBe('tmpfs');
  expect(mountOf(mounts, '/variants')?.type).toBe('overlay');
  expect(mountOf(mounts, '/my disk/x')?.type).toBe('vfat');
});

test('slots are read by the name that the boot loader has for them', () => {
  const text =
    '{"booted":"B","boot_primary":"slot.1","slots":[{"slot.0":{"bootname":"A","boot_status":"bad"}},{"slot.1":{"bootname":"B","boot_status":"good"}}]}';
  expect(parseRaucStatus(text)).toEqual({
    booted: 'B',
    primary: 'B',
    states: new Map([
      ['A', 'bad'],
      ['B', 'good'],
    ]),
  });
  expect(parseRaucStatus('{"booted":null,"boot_primary":null,"slots":[]}')).toEqual({
    booted: undefined,
    primary: undefined,
    states: new Map(),
  });
  expect(parseRaucStatus('no')).toBeUndefined();
});

test('what may stay in /etc is told by patterns of the shell', () => {
  const kept = keeps('machine-id\nssh/ssh_host_*\nNetworkManager/system-connections/*\n\na.b\n');
  expect(['/machine-id', '/ssh/ssh_host_ed25519_key', '/NetworkManager/system-connections/a b.nmconnection'].every(kept)).toBe(true);
  expect(['/machine-id2', '/ssh/sshd_config', '/passwd', '/axb'].some(kept)).toBe(false);
});

test('how the start went is read from quoted and bare words; empty ones are left out', () => {
  const text = 'SLOT=B\nREASON=trial\nRESET=\nQUICK_BOOTS=2\nNOTE="the data partition was mended: DATA=x; "\n';
  expect(parseBootFacts(text)).toEqual({ slot: 'B', reason: 'trial', quickBoots: 2, note: 'the data partition was mended: DATA=x; ' });
  expect(parseBootFacts("SLOT=A REASON='normal' DATA=ok")).toEqual({ slot: 'A', reason: 'normal', data: 'ok' });
  expect(parseBootFacts('')).toEqual({});
});

test('a release says at least its version and machine', () => {
  expect(parseRelease('{"version":"1.0.0","machine":"rpi","kiosk":true,"more":1}')).toEqual({
    version: '1.0.0',
    machine: 'rpi',
    kiosk: true,
  });
  const project = { name: 'weather-station', version: '1.2.0', services: ['irrigation'] };
  expect(parseRelease(JSON.stringify({ version: '1.0.0', machine: 'rpi', project }))).toEqual({
    version: '1.0.0',
    machine: 'rpi',
    project,
  });
  expect(parseRelease('{"version":"1.0.0","machine":"rpi","project":{"name":1}}')).toEqual({ version: '1.0.0', machine: 'rpi' });
  expect(parseRelease('{"version":1}')).toBeUndefined();
  expect(parseRelease('')).toBeUndefined();
});
