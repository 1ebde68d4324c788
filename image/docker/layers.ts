import { chmodSync, chownSync, cpSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PROJECT_FOLDER } from '@ledge/host/linux/image-facts.ts';
import { layPrograms, plainRights, type ReleaseFacts } from '../app.ts';
import { cached, contentKey, sha256 } from '../cache.ts';
import { tarOptions, unpackLayers, workFolder } from '../layers/build.ts';
import type { LayerTar } from '../root/root.ts';
import { run } from '../run.ts';

/** Whoever runs the services in a container. A number of nobody's, so that it means nobody outside of it either. */
export const USER_ID = 10_001;
const PROGRAMS = 'usr/lib/ledge';
/** Where data and sockets are; a new volume takes its owner and rights from the image's folder. */
export const FOLDERS = { data: '/var/lib/ledge', run: '/run/ledge', project: PROJECT_FOLDER } as const;
/** Raised when the code here makes other layers from the same parts. */
const EDITION = 1;

/** A layer as images have it. */
export interface ImageLayer extends LayerFacts {
  tar: string;
  /** SHA-256 of the tar, as images name it. */
  sum: string;
  bytes: number;
}

interface LayerFacts {
  name: string;
  /** Seconds since 1970: no file in it is newer. */
  epochS: number;
  createdBy: string;
}

/**
 * A Debian layer as a container may have it: what overlayfs marks as removed, caches, logs and rights to become another user are not in it.
 * Cached.
 */
export async function debianLayer({ name, tar }: LayerTar, epochS: number, createdBy: string): Promise<ImageLayer> {
  const facts = { name, epochS, createdBy };
  // the layer's own folder in the cache is named by what it is made of
  const key = contentKey({ values: [basename(dirname(tar)), name, epochS, EDITION] });
  const { path } = await cached('containers', `${name}-${key}`, (draft) =>
    pack(draft, facts, async (folder, work) => {
      const [unpacked = ''] = await unpackLayers([{ name, tar }], work);
      for (const file of globSync(LEFT_OUT, { cwd: unpacked })) rmSync(join(unpacked, file), { recursive: true, force: true });
      await run('find', [unpacked, '-type', 'c', '-delete']);
      await run('find', [unpacked, '-type', 'f', '-perm', '/6000', '-exec', 'chmod', 'ug-s', '{}', '+']);
      await run('mv', ['-T', unpacked, folder]);
    }),
  );
  return packedIn(path, facts);
}
const LEFT_OUT = ['var/cache/debconf/*', 'var/lib/dpkg/*-old', 'var/log/*', 'etc/*-', 'var/cache/apt'];

/** Our services, pages, and the folders that they write to. @param out a folder for the tar */
export async function appLayer(root: string, release: ReleaseFacts, epochS: number, out: string): Promise<ImageLayer> {
  const facts = { name: 'services', epochS, createdBy: `Ledge ${release.version} (${release.commit.slice(0, 12)})` };
  const path = join(out, facts.name);
  await pack(path, facts, async (folder) => {
    layPrograms(root, join(folder, PROGRAMS), release);
    plainRights(folder);
    for (const place of [FOLDERS.data, FOLDERS.run]) {
      mkdirSync(join(folder, place), { recursive: true });
      chmodSync(join(folder, place), 0o750);
      chownSync(join(folder, place), USER_ID, USER_ID);
    }
  });
  return packedIn(path, facts);
}

/** A built project, where `EDGE_PROJECT` says it is. @param out a folder for the tar */
export async function projectLayer(
  built: string,
  { name, version }: { name: string; version: string },
  epochS: number,
  out: string,
): Promise<ImageLayer> {
  const facts = { name: 'project', epochS, createdBy: `${name} ${version}` };
  const path = join(out, 'project-layer');
  await pack(path, facts, async (folder) => {
    cpSync(built, join(folder, FOLDERS.project), { recursive: true });
    plainRights(folder);
  });
  return packedIn(path, facts);
}

/** Makes a tar of what `fill` lays into a folder, with its checksum beside it. */
async function pack(out: string, { epochS }: LayerFacts, fill: (folder: string, work: string) => Promise<void>): Promise<void> {
  const work = workFolder();
  try {
    const folder = join(work, 'root');
    mkdirSync(folder);
    await fill(folder, work);
    mkdirSync(out, { recursive: true });
    const tar = join(out, 'layer.tar');
    await run('tar', ['-cf', tar, ...tarOptions(epochS), '-C', folder, ...readdirSync(folder).sort()]);
    writeFileSync(join(out, 'sum'), await sha256(tar));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function packedIn(path: string, facts: LayerFacts): ImageLayer {
  const tar = join(path, 'layer.tar');
  return { ...facts, tar, sum: readFileSync(join(path, 'sum'), 'utf8'), bytes: statSync(tar).size };
}
