import { readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { run } from '../../run.ts';
import type { Disk } from './disk.ts';

/** mtools complain about sizes that do not matter here. */
const environment = { MTOOLS_SKIP_CHECK: '1', MTOOLS_NO_VFAT: '0' };
const mtools = (tool: string, file: string, args: readonly string[]) => run(tool, ['-i', file, ...args], { environment });

/** Files that a person put on the card's boot partition with their own computer; text or bytes by name. */
export async function putBootFiles(disk: Disk, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  await disk.withPartition(
    'boot',
    async (fat) => {
      for (const [name, content] of Object.entries(files)) {
        writeFileSync(`${fat}.file`, content);
        await mtools('mcopy', fat, ['-o', `${fat}.file`, `::${name}`]);
      }
    },
    { writeBack: true },
  );
}

/** @throws Error when it is not there */
export async function readBootFile(disk: Disk, name: string): Promise<Buffer> {
  return await disk.withPartition('boot', async (fat) => {
    await mtools('mcopy', fat, ['-o', `::${name}`, `${fat}.file`]);
    return readFileSync(`${fat}.file`);
  });
}

export async function removeBootFile(disk: Disk, name: string): Promise<void> {
  await disk.withPartition('boot', (fat) => mtools('mdel', fat, [`::${name}`]), { writeBack: true });
}

/** Paths of all files, folders below included, without the leading slash. */
export async function listBootFiles(disk: Disk): Promise<string[]> {
  const listing = await disk.withPartition('boot', (fat) => mtools('mdir', fat, ['-/', '-b', '::']));
  return listing
    .split('\n')
    .map((line) => line.trim().replace(/^::\/?/, ''))
    .filter((path) => path !== '' && !path.endsWith('/'))
    .map((path) => posix.normalize(path));
}

/** Where each byte string occurs on the boot partition, free space included; empty when none does. */
export async function findOnBoot(disk: Disk, secrets: readonly string[]): Promise<string[]> {
  const bytes = await disk.partition('boot');
  return secrets.filter((secret) => bytes.includes(secret) || bytes.includes(Buffer.from(secret, 'utf16le')));
}
