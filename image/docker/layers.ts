import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OUR_SERVICES } from '@ledge/supervisor';
import { plainRights, type ReleaseFacts } from '../app.ts';
import { cached, contentKey, sha256 } from '../cache.ts';
import { tarOptions, unpackLayers, workFolder } from '../layers/build.ts';
import { type LayerTar, writeFacts } from '../root/root.ts';
import { run } from '../run.ts';

/** Whoever runs the services in a container. A number of nobody's, so that it means nobody outside of it either. */
export const USER_ID = 10_001;
const PROGRAMS = 'usr/lib/ledge';
/** Where data and sockets are; a new volume takes its owner and rights from the image's folder. */
export const FOLDERS = { data: '/var/lib/ledge', run: '/run/ledge', project: `/${PROGRAMS}/project` } as const;
/** Raised when the code here makes other layers from the same parts. */
const EDITION = 1;

/** A layer as images have it. */
export interface ImageLayer {
  name: string;
  tar: string;
  /** SHA-256 of the tar, as images name it. */
  sum: string;
  bytes: number;
  /** Seconds since 1970: no file in it is newer. */
  epochS: number;
  createdBy: string;
}

/**
 * A Debian layer as a container may have it: what overlayfs marks as removed, caches, logs and rights to become another user are not in it.
 */
export async function debianLayer({ name, tar }: LayerTar, epochS: number, createdBy: string): Promise<ImageLayer> {
  // the layer's own folder in the cache is named by what it is made of
  const key = contentKey({ values: [basename(dirname(tar)), name, epochS, EDITION] });
  return await packed({ name, epochS, createdBy }, `${name}-${key}`, async (folder, work) => {
    const [unpacked = ''] = await unpackLayers([{ name, tar }], work);
    for (const file of globSync(LEFT_OUT, { cwd: unpacked })) rmSync(join(unpacked, file), { recursive: true, force: true });
    await run('find', [unpacked, '-type', 'c', '-delete']);
    await run('find', [unpacked, '-type', 'f', '-perm', '/6000', '-exec', 'chmod', 'ug-s', '{}', '+']);
    await run('mv', ['-T', unpacked, folder]);
  });
}
const LEFT_OUT = ['var/cache/debconf/*', 'var/lib/dpkg/*-old', 'var/log/*', 'etc/*-', 'var/cache/apt'];

/** Our services, pages, and the folders that they write to. */
export async function appLayer(root: string, release: ReleaseFacts, epochS: number): Promise<ImageLayer> {
  const work = workFolder();
  try {
    const programs = join(work, PROGRAMS);
    mkdirSync(programs, { recursive: true });
    for (const name of [...OUR_SERVICES.map((service) => service.name), 'ledge', 'cli', 'health'])
      copyFileSync(join(root, 'dist', `${name}.mjs`), join(programs, `${name}.mjs`));
    cpSync(join(root, 'dist', 'webui'), join(programs, 'webui'), { recursive: true });
    writeFacts(join(programs, 'release.json'), release);
    plainRights(work);
    const layer = { name: 'services', epochS, createdBy: `Ledge ${release.version} (${release.commit.slice(0, 12)})` };
    return await packed(layer, `services-${contentKey({ values: [epochS, EDITION], files: [work] })}`, async (folder) => {
      cpSync(work, folder, { recursive: true });
      for (const path of [FOLDERS.data, FOLDERS.run]) {
        mkdirSync(join(folder, path), { recursive: true });
        chmodSync(join(folder, path), 0o750);
        chownSync(join(folder, path), USER_ID, USER_ID);
      }
      plainRights(join(folder, PROGRAMS));
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A built project, where `EDGE_PROJECT` says it is. */
export async function projectLayer(
  built: string,
  { name, version }: { name: string; version: string },
  epochS: number,
): Promise<ImageLayer> {
  const layer = { name: 'project', epochS, createdBy: `${name} ${version}` };
  return await packed(layer, `project-${contentKey({ values: [epochS, EDITION], files: [built] })}`, async (folder) => {
    cpSync(built, join(folder, FOLDERS.project), { recursive: true });
    plainRights(folder);
  });
}

/** The tar of a folder that `fill` lays, cached with its checksum. */
async function packed(
  layer: Pick<ImageLayer, 'name' | 'epochS' | 'createdBy'>,
  key: string,
  fill: (folder: string, work: string) => Promise<void>,
): Promise<ImageLayer> {
  const { path } = await cached('containers', key, async (draft) => {
    const work = workFolder();
    try {
      const folder = join(work, 'root');
      mkdirSync(folder);
      await fill(folder, work);
      mkdirSync(draft, { recursive: true });
      const tar = join(draft, 'layer.tar');
      await run('tar', ['-cf', tar, ...tarOptions(layer.epochS), '-C', folder, ...readdirSync(folder).sort()]);
      writeFileSync(join(draft, 'sum'), await sha256(tar));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  const tar = join(path, 'layer.tar');
  return { ...layer, tar, sum: readFileSync(join(path, 'sum'), 'utf8'), bytes: lstatSync(tar).size };
}
