import { globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cached, contentKey } from '../cache.ts';
import { type Apt, type DebianPackage, kernelParts, unpackPackages } from '../layers/apt.ts';
import { tarOptions } from '../layers/build.ts';
import { UNPACKED } from '../layers/recipe.ts';
import { run } from '../run.ts';
import { wantedWithNeeds } from './modules.ts';

/** The kernel as the card wants it. */
export interface Kernel {
  release: string;
  packages: DebianPackage[];
  /** LZ4, which every board's U-Boot unpacks fast. */
  image: string;
  /** Device trees of the boards, as `broadcom/<board>.dtb`. */
  dtbs: string;
  /** A layer with `usr/lib/modules`. */
  tar: string;
  /** The same as a folder. */
  root: string;
}

/** Takes Debian's kernel packages apart: image, device trees of the boards, and the modules for hardware that can be there. */
export async function buildKernel(apt: Apt, epochS: number): Promise<Kernel> {
  const { meta, suite, parts } = UNPACKED.kernel;
  const { path: unpacked, packages } = await unpackPackages(apt, await kernelParts(apt, meta, suite, parts), suite);
  const release = packages[0]?.name.replace(/^linux-base-/, '') ?? '';
  const key = contentKey({
    values: [packages, epochS],
    files: [import.meta.filename, join(import.meta.dirname, 'modules.ts')],
  });
  const { path } = await cached('kernel', key, async (draft) => {
    const from = join(unpacked, 'usr/lib/modules', release);
    const modules = join(draft, 'root/usr/lib/modules', release);
    mkdirSync(join(draft, 'dtbs/broadcom'), { recursive: true });
    await run('mkdir', ['-p', modules]);
    await run('cp', ['-r', join(from, 'kernel'), modules]);
    // squashfs packs them together, better than each alone, and loading them then costs no second unpacking
    await run('find', [modules, '-name', '*.ko.xz', '-exec', 'xz', '-d', '{}', '+']);
    for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) await run('cp', [join(from, name), modules]);
    symlinkSync('usr/lib', join(draft, 'root/lib')); // where depmod looks
    await run('depmod', ['-b', join(draft, 'root'), release]);
    const kept = wantedWithNeeds(readFileSync(join(modules, 'modules.dep'), 'utf8'));
    for (const file of globSync('kernel/**/*.ko', { cwd: modules })) if (!kept.has(file)) rmSync(join(modules, file));
    await run('find', [modules, '-type', 'd', '-empty', '-delete']);
    await run('depmod', ['-b', join(draft, 'root'), release]);
    rmSync(join(draft, 'root/lib'));
    await run('cp', [join(from, 'config'), join(modules, 'config')]);
    for (const board of globSync('dtb/broadcom/bcm{2710,2711,2712,2837}*.dtb', { cwd: from }))
      await run('cp', [join(from, board), join(draft, 'dtbs/broadcom')]);
    await run('lz4', ['-12', '-q', '-f', join(from, 'vmlinuz'), join(draft, 'Image.lz4')]);
    await run('tar', ['-cf', join(draft, 'layer.tar'), ...tarOptions(epochS), '--owner=0', '--group=0', '-C', join(draft, 'root'), '.']);
  });
  return {
    release,
    packages,
    image: join(path, 'Image.lz4'),
    dtbs: join(path, 'dtbs'),
    tar: join(path, 'layer.tar'),
    root: join(path, 'root'),
  };
}
