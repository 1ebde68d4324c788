import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../run.ts';
import type { Image } from './images.ts';

/**
 * Writes images as one file for `docker load`: a manifest, a configuration for each, and each layer once
 * (Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format").
 * The same parts make the same bytes.
 * @param epochS the time that everything in the file bears
 */
export async function writeArchive(
  images: readonly (Image & { config: { text: string; id: string } })[],
  out: string,
  epochS: number,
): Promise<void> {
  mkdirSync(dirname(out), { recursive: true });
  const folder = mkdtempSync(join(dirname(out), '.images-'));
  try {
    const pathOf = (sum: string) => `${sum}/layer.tar`;
    const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.sum, layer]));
    for (const { sum, tar } of layers.values()) {
      mkdirSync(join(folder, sum));
      share(tar, join(folder, pathOf(sum)));
    }
    for (const { config } of images) writeFileSync(join(folder, `${config.id}.json`), config.text);
    const manifest = images.map(({ config, tags, layers: own }) => ({
      Config: `${config.id}.json`,
      RepoTags: tags,
      Layers: own.map(({ sum }) => pathOf(sum)),
    }));
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    await run('tar', [
      ...['-cf', out, '--sort=name', '--format=ustar', `--mtime=@${epochS}`, '--owner=0', '--group=0', '--numeric-owner'],
      ...['--mode=u=rwX,go=rX', '--hard-dereference', '-C', folder, '.'],
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same file at a second place, without a copy where that can be. */
export function share(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}
