import { run } from '../../run.ts';
import type { Disk } from './disk.ts';

/**
 * What a file system check finds wrong on the card after a power cut, beyond what a journal is for: replaying it, orphaned inodes and
 * counters. Works on copies; empty when all is well.
 */
export async function faultsOfDisk(disk: Disk): Promise<string[]> {
  const data = await disk.withPartition('data', (file) => check('e2fsck', ['-f', '-y', file]));
  const boot = await disk.withPartition('boot', (file) => check('fsck.vfat', ['-n', file]));
  const wrong = /^(?!.*(count(s)? (for|wrong)|free (blocks|inodes) count)).*(\? yes|FIXED|cleared\.|corrupt|differ|Unexpected|unattached)/i;
  return [
    ...data.split('\n').filter((line) => wrong.test(line)),
    ...boot.split('\n').filter((line) => /differ|orphan|lost|bad |invalid/i.test(line)),
  ];
}

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
