import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeForImage } from './addons.ts';
import { cached, contentKey, sha256 } from './cache.ts';
import { type DebianPackage, openApt, unpackPackages } from './layers/apt.ts';
import { tarOptions } from './layers/build.ts';
import { type Architecture, CARD_ARCHITECTURE, TRIPLETS, UNPACKED } from './layers/recipe.ts';
import type { LayerTar } from './root/root.ts';
import { run } from './run.ts';

/** The layer with Node, from the npm package that the lock pins; without its symbols it is 20 MB smaller. */
export async function buildRuntime(epochS: number, architecture: Architecture = CARD_ARCHITECTURE): Promise<LayerTar> {
  const node = join(await nodeForImage(architecture), 'bin/node');
  const { path } = await cached('runtime', contentKey({ values: [await sha256(node), epochS] }), async (draft) => {
    mkdirSync(join(draft, 'root/usr/bin'), { recursive: true });
    copyFileSync(node, join(draft, 'root/usr/bin/node'));
    await run(`${TRIPLETS[architecture]}-strip`, ['--strip-all', join(draft, 'root/usr/bin/node')]);
    await run('chmod', ['0755', join(draft, 'root/usr/bin/node')]);
    await run('tar', ['-cf', join(draft, 'layer.tar'), ...tarOptions(epochS), '--owner=0', '--group=0', '-C', join(draft, 'root'), '.']);
  });
  return { name: 'runtime', tar: join(path, 'layer.tar') };
}

/** The layer with the Pi's radio settings (NVRAM and regulatory blobs), which Debian ships with the boot firmware. */
export async function buildRadioFirmware(firmwarePath: string, epochS: number): Promise<LayerTar> {
  const from = join(firmwarePath, 'usr/lib/firmware');
  const { path } = await cached('radio', contentKey({ values: [epochS], files: [from] }), async (draft) => {
    mkdirSync(join(draft, 'root/usr/lib'), { recursive: true });
    await run('cp', ['-a', from, join(draft, 'root/usr/lib/')]);
    await run('tar', ['-cf', join(draft, 'layer.tar'), ...tarOptions(epochS), '--owner=0', '--group=0', '-C', join(draft, 'root'), '.']);
  });
  return { name: 'radio', tar: join(path, 'layer.tar') };
}

/** The layer with an updater that is newer than the release's; what it needs is in the machine layer, installed with the older one. */
export async function buildUpdater(epochS: number): Promise<LayerTar & { packages: DebianPackage[] }> {
  const { suite, packages: names } = UNPACKED.updater;
  const { path: from, packages } = await unpackPackages(await openApt(suite), names, suite);
  const { path } = await cached('updater', contentKey({ values: [packages, LEFT_OUT_OF_UPDATER, epochS] }), async (draft) => {
    mkdirSync(draft, { recursive: true });
    const excluded = LEFT_OUT_OF_UPDATER.map((folder) => `--exclude=${folder}`);
    await run('tar', ['-cf', join(draft, 'layer.tar'), ...tarOptions(epochS), ...excluded, '--owner=0', '--group=0', '-C', from, '.']);
  });
  return { name: 'updater', tar: join(path, 'layer.tar'), packages };
}
const LEFT_OUT_OF_UPDATER = ['./usr/share/man', './usr/share/doc', './usr/share/bash-completion'];
