import { test } from 'vitest';
import { Unseen } from '../ports.ts';
import { bootFile, type Case, holds, JUST_STARTED } from '../test-tools.ts';
import { declaredState, requiredFiles } from './box.ts';
import { cardLife, dataInodes, dataMounted, dataSpace, dataState, fileSystemErrors, rootReadOnly } from './disk.ts';
import { importReport } from './import.ts';
import { bootReason, slotState, slots } from './slots.ts';

const MB = 1024 * 1024;
const mounts = (...lines: string[]) => ({ '/proc/self/mountinfo': lines.join('\n') });
const ROOT = '22 1 0:21 / / ro,relatime - overlay overlay ro,lowerdir=/l';

const CASES: Case[] = [
  [
    'a writable root',
    rootReadOnly,
    { files: mounts('22 1 0:21 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u') },
    'fault',
    '/ is writable (overlay)',
  ],
  [
    'a root that a sandbox shows as read-only, but is not',
    rootReadOnly,
    { files: mounts('22 1 8:1 / / ro,relatime - ext4 /dev/sda1 rw') },
    'fault',
    '/ is writable (ext4)',
  ],
  [
    'data in memory',
    dataMounted,
    { files: mounts(ROOT, '23 22 0:30 / /var rw - tmpfs tmpfs rw,size=100m') },
    'fault',
    /is on a tmpfs, not on the data partition/,
  ],
  ['data nowhere', dataMounted, { files: mounts(ROOT) }, 'fault', /is on an overlay, not on the data partition/],
  [
    'data that became read-only',
    dataMounted,
    { files: mounts(ROOT, '23 22 179:4 / /var rw - ext4 /dev/mmcblk0p4 ro') },
    'fault',
    /became read-only/,
  ],
  [
    'data that a sandbox shows as a mount of its own',
    dataMounted,
    {
      files: mounts(
        ROOT,
        '23 22 179:4 / /var ro - ext4 /dev/mmcblk0p4 rw',
        '24 23 179:4 /lib/ledge /var/lib/ledge rw - ext4 /dev/mmcblk0p4 rw',
      ),
    },
    'ok',
    /mounted and writable/,
  ],
  ['a disk that is nearly full', dataSpace, { space: { freeBytes: 300 * MB } }, 'warning', '300 MB of 6.0 GB free for data'],
  ['a disk that is full', dataSpace, { space: { freeBytes: 50 * MB } }, 'fault', /^50 MB/],
  ['too many files', dataInodes, { space: { freeInodes: 4000 } }, 'fault', '1 % of the file entries free'],
  ['a file system without a limit of files', dataInodes, { space: { inodes: 0 } }, 'skipped', /no such limit/],
  [
    'errors of the file system',
    fileSystemErrors,
    { files: { '/sys/fs/ext4/mmcblk0p4/errors_count': '3\n' } },
    'fault',
    '3 errors on mmcblk0p4',
  ],
  ['a card that is nearly worn', cardLife, { files: { '/sys/block/mmcblk0/device/life_time': '0x01 0x0a\n' } }, 'warning', /90 to 100 %/],
  ['a card that is worn', cardLife, { files: { '/sys/block/mmcblk0/device/life_time': '0x0b 0x01\n' } }, 'fault', /outlived/],
  ['a card that does not tell', cardLife, { files: { '/sys/block/mmcblk0/device/life_time': undefined } }, 'skipped', /does not tell/],
  ['a start without data', dataState, { files: bootFile('SLOT=A\nDATA=rescue\n') }, 'fault', /could not be used/],
  ['a start after a repair', dataState, { files: bootFile('SLOT=A\nDATA=repaired\n') }, 'warning', /repaired/],
  ['a first start', dataState, { files: bootFile('SLOT=A\nDATA=fresh\n') }, 'ok', /made new/],
  [
    'an update that waits for its start',
    slots,
    {
      programs: {
        rauc: '{"booted":"A","boot_primary":"s.1","slots":[{"s.0":{"bootname":"A","boot_status":"good"}},{"s.1":{"bootname":"B","boot_status":"bad"}}]}',
      },
    },
    'warning',
    'slot A runs, but B starts next (A is good, B is empty or given up)',
  ],
  [
    'an updater that is mistaken',
    slots,
    { files: bootFile('SLOT=B\nREASON=normal\n') },
    'fault',
    /takes slot A for the one that runs, but it is B/,
  ],
  [
    'an updater that may not be asked',
    slots,
    { programs: { rauc: new Unseen('rauc is not installed here') } },
    'skipped',
    'rauc is not installed here',
  ],
  [
    'a slot state that only root may read',
    slotState,
    { programs: { fwPrintenv: { code: 1, stdout: '', stderr: 'Cannot open /dev/ledge/state: Permission denied\n' } } },
    'skipped',
    /only root may read/,
  ],
  [
    'a slot state that root cannot read',
    slotState,
    { user: 'root', programs: { fwPrintenv: { code: 1, stdout: '', stderr: 'Cannot read environment\n' } } },
    'fault',
    /cannot be read: Cannot read environment/,
  ],
  [
    'a version long on trial',
    slotState,
    { programs: { fwPrintenv: { code: 0, stdout: 'BOOT_ORDER=A B\nBOOT_A_LEFT=2\n', stderr: '' } } },
    'warning',
    /on trial, 2 of 3 tries left, 1 d 1 h after its start/,
  ],
  [
    'a version on trial since a moment',
    slotState,
    { files: JUST_STARTED, programs: { fwPrintenv: { code: 0, stdout: 'BOOT_ORDER=A B\nBOOT_A_LEFT=2\n', stderr: '' } } },
    'ok',
    /on trial/,
  ],
  [
    'a slot that was given up',
    slotState,
    { programs: { fwPrintenv: { code: 0, stdout: 'BOOT_ORDER=A B\nBOOT_A_LEFT=0\n', stderr: '' } } },
    'fault',
    /given up/,
  ],
  [
    'a fall back to the older slot',
    bootReason,
    { files: bootFile('SLOT=B\nREASON=fallback\n') },
    'warning',
    /the other one did not come up/,
  ],
  ['a lost slot state', bootReason, { files: bootFile('SLOT=A\nREASON=state-lost\n') }, 'warning', /state was lost/],
  ['a last resort', bootReason, { files: bootFile('SLOT=A\nREASON=last-resort\n') }, 'fault', /no slot is confirmed/],
  [
    'a program that is missing',
    requiredFiles,
    { files: { '/usr/lib/ledge/sse.mjs': undefined } },
    'fault',
    '/usr/lib/ledge/sse.mjs is missing',
  ],
  ['a release that cannot be read', requiredFiles, { files: { '/usr/lib/ledge/release.json': '{' } }, 'fault', /release.json/],
  [
    'a mistake on the card',
    importReport,
    {
      files: {
        '/var/lib/ledge/system/import-report.json':
          '{"notes":[{"kind":"unused","message":"x"},{"kind":"mistake","file":"ledge.yaml","line":3,"message":"wifi.key is 3; text is wanted"}]}',
      },
    },
    'warning',
    '1 mistake, the first: ledge.yaml:3: wifi.key is 3; text is wanted',
  ],
  [
    'a wish on the card that cannot come true, and a card that cannot be written',
    importReport,
    {
      files: {
        '/var/lib/ledge/system/import-report.json':
          '{"problems":["the card cannot be written"],"outcomes":[{"what":"host name","result":"done"},{"file":"ledge.yaml","line":2,"what":"time zone","result":"impossible","why":"there is none"}]}',
      },
    },
    'warning',
    '2 mistakes, the first: the card cannot be written',
  ],
  [
    'a report that is no JSON',
    importReport,
    { files: { '/var/lib/ledge/system/import-report.json': '{' } },
    'skipped',
    /the check itself failed/,
  ],
  [
    'a change by hand',
    declaredState,
    { files: { '/var/etc/upper/ssh/sshd_config': '', '/var/etc/upper/ssh/ssh_host_rsa_key': '' } },
    'warning',
    '/etc/ssh/sshd_config was changed',
  ],
  [
    'a folder of changes that may not be opened',
    declaredState,
    { files: { '/var/etc/upper/polkit-1/rules.d/x': '' }, refused: ['/var/etc/upper/polkit-1'], user: 'ledge' },
    'ok',
    'nothing outside the data was changed, as far as ledge may see',
  ],
  ['changes that may not be seen', declaredState, { refused: ['/var/etc/upper'] }, 'skipped', '/var/etc/upper may not be read'],
];

test.each(CASES)('%s', async (...row) => {
  await holds(row);
});
