import { closeSync, createReadStream, createWriteStream, openSync, renameSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '../run.ts';
import { LAYOUT, MIB, partitionTables } from './mbr.ts';
import { firstState, STATE_COPY_BYTES, STATE_COPY_OFFSETS } from './state.ts';

const BOOT_LABEL = 'LEDGE-BOOT';
const SLOT_LABEL = 'ledge-slot';
/** File systems want an id; equal inputs must give equal files, so it is always the same one. */
const FAT_ID = '1ed9eb00';
const SLOT_UUID = '1ed9e001-51de-4a17-8000-000000000001';
/** Room for a slot's own tables above the files in it. */
const SLOT_SPARE_MIB = 12;
/** ext4: the root folder, and the first of the inodes that are given out in order. */
const ROOT_INODE = 2;
const FIRST_INODE = 11;

const fakeTime = (epochS: number) => ({ SOURCE_DATE_EPOCH: String(epochS), E2FSPROGS_FAKE_TIME: String(epochS) });

/** The first partition: a FAT file system with the files of a folder. Reproducible. */
export async function makeBootPartition(folder: string, out: string, epochS: number): Promise<void> {
  rmSync(out, { force: true });
  await run('mkfs.vfat', [
    '-F',
    '32',
    '-s',
    '1',
    '-n',
    BOOT_LABEL,
    '-i',
    FAT_ID,
    '--invariant',
    '-C',
    out,
    String(LAYOUT.boot.sizeMib * 1024),
  ]);
  await setTimes(folder, epochS);
  const names = (await run('ls', ['-A', folder])).trim().split('\n').sort();
  await run('mcopy', ['-i', out, '-s', '-m', ...names.map((name) => join(folder, name)), '::'], { environment: fakeTime(epochS) });
}

/**
 * A slot: an ext4 file system without a journal, as large as its files need, so that an update writes no more than that. Reproducible.
 * @throws Error when it would not fit the slot's partition
 */
export async function makeSlot(folder: string, out: string, epochS: number): Promise<void> {
  rmSync(out, { force: true });
  await setTimes(folder, epochS);
  const usedMib = Math.ceil(Number((await run('du', ['-sk', '--apparent-size', folder])).split('\t')[0]) / 1024);
  const sizeMib = Math.ceil((usedMib * 1.01 + SLOT_SPARE_MIB) / 4) * 4;
  if (sizeMib > LAYOUT.slotA.sizeMib) throw new Error(`The slot would be ${sizeMib} MiB; ${LAYOUT.slotA.sizeMib} MiB are there for it.`);
  await run(
    'mke2fs',
    [
      ...['-q', '-F', '-t', 'ext4', '-L', SLOT_LABEL, '-U', SLOT_UUID, '-d', folder, '-m', '0', '-N', '256', '-b', '4096'],
      ...['-O', '^has_journal,^resize_inode,^metadata_csum,^64bit,^orphan_file'],
      ...['-E', `hash_seed=${SLOT_UUID},root_owner=0:0,lazy_itable_init=0,nodiscard`],
      ...[out, `${sizeMib}M`],
    ],
    { environment: fakeTime(epochS) },
  );
  await settleTimes(out, folder, epochS);
}

/** mke2fs copies times of this machine that nobody can set for good (of the last change, of the last reading): they become the epoch as well. */
async function settleTimes(slot: string, folder: string, epochS: number): Promise<void> {
  const count = (await run('find', [folder, '-mindepth', '1', '-printf', '.'])).length;
  const inodes = [ROOT_INODE, ...Array.from({ length: count + 1 }, (_, index) => FIRST_INODE + index)];
  const commands = inodes
    .flatMap((inode) => ['ctime', 'atime'].map((field) => `set_inode_field <${inode}> ${field} @${epochS}\n`))
    .join('');
  await run('debugfs', ['-w', '-f', '-', slot], { input: commands, environment: fakeTime(epochS) });
}

async function setTimes(folder: string, epochS: number): Promise<void> {
  await run('find', [folder, '-exec', 'touch', '-h', '-d', `@${epochS}`, '{}', '+']);
}

/**
 * The file that people flash: partition tables, slot state, boot partition, slot A. It ends where slot A's content ends: slot B and data
 * have nothing in them yet, and are made by the first update and the first boot.
 */
export async function makeCard(parts: { boot: string; slot: string; out: string }): Promise<void> {
  // a file of its own until it is whole: a machine may just run from the one before
  const draft = `${parts.out}.new`;
  const file = openSync(draft, 'w');
  for (const { offset, sector } of partitionTables()) writeSync(file, sector, 0, sector.length, offset);
  STATE_COPY_OFFSETS.forEach((offset, index) => {
    writeSync(file, firstState(index), 0, STATE_COPY_BYTES, LAYOUT.state.startMib * MIB + offset);
  });
  closeSync(file);
  await copyInto(parts.boot, draft, LAYOUT.boot.startMib * MIB);
  await copyInto(parts.slot, draft, LAYOUT.slotA.startMib * MIB);
  renameSync(draft, parts.out);
}

async function copyInto(source: string, target: string, offset: number): Promise<void> {
  await pipeline(createReadStream(source, { highWaterMark: MIB }), createWriteStream(target, { flags: 'r+', start: offset }));
  const end = offset + statSync(source).size;
  if (statSync(target).size < end) truncateSync(target, end);
}
