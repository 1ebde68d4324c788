/**
 * A plain Debian root with the same kernel, boot script and packages but nothing of ours, to hold the box's start against:
 * `node image/bare.ts FILE`. Its layers must have been built.
 */
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layBootFiles, unpackFirmware } from './firmware.ts';
import { buildInitramfs } from './initramfs/build.ts';
import { buildKernel } from './kernel/kernel.ts';
import { openApt } from './layers/apt.ts';
import { buildLayers, workFolder } from './layers/build.ts';
import { readLock } from './layers/lock.ts';
import { makeBootPartition, makeCard } from './layout/card.ts';
import { run } from './run.ts';

const ROOT_MIB = 740;

/** Writes the card's file; a login prompt is its sign of life. */
export async function makeBareDebian(out: string): Promise<void> {
  const epochS = Date.parse(readLock().date) / 1000;
  const apt = await openApt();
  const layers = await buildLayers(['machine'], { apt, epochS, say: console.log });
  const firmware = await unpackFirmware(apt);
  const kernel = await buildKernel(apt, epochS);
  const work = workFolder();
  try {
    const root = join(work, 'root');
    mkdirSync(root);
    for (const { tar } of [...layers, { tar: kernel.tar }])
      await run('tar', ['-xpf', tar, '-C', root, '--numeric-owner', '--keep-directory-symlink']);
    const initramfs = { roots: [root], busybox: firmware.busybox, kernelRoot: kernel.root, release: kernel.release, epochS };
    writeFileSync(join(root, 'initrd.img'), await buildInitramfs(initramfs, join(import.meta.dirname, 'initramfs', 'init-bare')));
    copyFileSync(kernel.image, join(root, 'Image.lz4'));
    cpSync(kernel.dtbs, join(root, 'dtbs'), { recursive: true });
    const slot = join(work, 'root.ext4');
    await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^metadata_csum,^64bit,^orphan_file', '-d', root, slot, `${ROOT_MIB}M`]);
    await layBootFiles(join(work, 'boot'), firmware, kernel, epochS);
    await makeBootPartition(join(work, 'boot'), join(work, 'boot.vfat'), epochS);
    await makeCard({ boot: join(work, 'boot.vfat'), slot, out });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.main) await makeBareDebian(process.argv[2] ?? 'bare-debian.img');
