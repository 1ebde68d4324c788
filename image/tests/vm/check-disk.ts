import { run } from '../../run.ts';
import type { Disk } from './disk.ts';

/** A question of e2fsck and its answer about what ext4 counts only in memory, or has in its list of orphans, while it is mounted. */
const EXPECTED =
  /^((Free (blocks|inodes)|Directories) count wrong .*|Feature orphan_present is set but orphan file is clean\.|.*orphaned inode.*)\n(\w+\? yes\n)?/gim;
const WRONG = /\? yes|FIXED|cleared\.|corrupt|differ|Unexpected|unattached/i;

/**
 * What a file system check finds wrong on the card after a power cut, beyond what a journal is for: replaying it, orphaned inodes and
 * counters. Works on copies; empty when all is well.
 */
export async function faultsOfDisk(disk: Disk): Promise<string[]> {
  const data = await disk.withPartition('data', (file) => check('e2fsck', ['-f', '-y', file]));
  const boot = await disk.withPartition('boot', (file) => check('fsck.vfat', ['-n', file]));
  return [...faultsOfExt4(data), ...boot.split('\n').filter((line) => /differ|orphan|lost|bad |invalid/i.test(line))];
}

/** Each fault in e2fsck's words, with its question; what an unmount would have put right is left out. */
export const faultsOfExt4 = (words: string): string[] =>
  words
    .replace(EXPECTED, '')
    .split('\n')
    .flatMap((line, at, lines) => (WRONG.test(line) ? [[lines[at - 1], line].join(' ').trim()] : []));

/** Its words, whatever it ends with. */
async function check(tool: string, args: readonly string[]): Promise<string> {
  return await run(tool, args).catch((error: Error) => error.message);
}

/** Where the journal of the data partition begins, in bytes (inode 8, as e2fsprogs' debugfs maps it). */
export async function journalOffset(disk: Disk): Promise<number> {
  const blocks = await disk.withPartition('data', (file) => run('debugfs', ['-R', 'blocks <8>', file]));
  const first = Number(blocks.trim().split(/\s+/)[0]);
  if (!Number.isInteger(first)) throw new Error(`debugfs does not say where the journal is: ${blocks}`);
  return first * 4096;
}
