import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, contentKey, sha256 } from '../cache.ts';
import { unpackLayers, workFolder } from '../layers/build.ts';
import { run } from '../run.ts';

const here = import.meta.dirname;

export interface Squashfs {
  file: string;
  fresh: boolean;
}

/** zstd's strongest level that is still worth its time: what is packed once a month is downloaded many times. */
const SYSTEM_LEVEL = 19;

/** What is below, lowest first. */
export interface LayerTar {
  name: string;
  tar: string;
}

/** The read-only system: Debian's layers, kernel modules and Node as one squashfs. */
export async function composeSystem(layers: readonly LayerTar[], epochS: number): Promise<Squashfs> {
  const sums = await Promise.all(layers.map(({ tar }) => sha256(tar)));
  const key = contentKey({ values: [sums, epochS, SYSTEM_LEVEL], files: [join(here, 'compose-system.sh')] });
  const { path, fresh } = await cached('system', key, async (draft) => {
    await compose('compose-system.sh', layers, draft, { EPOCH: String(epochS), LEVEL: String(SYSTEM_LEVEL) });
  });
  return { file: path, fresh };
}

/** Packages on top of the system that only some images have, such as the kiosk's. */
export async function composeExtra(layer: LayerTar, epochS: number): Promise<Squashfs> {
  const key = contentKey({ values: [await sha256(layer.tar), epochS, SYSTEM_LEVEL], files: [import.meta.filename] });
  const { path, fresh } = await cached('extra', key, async (draft) => {
    const work = workFolder();
    try {
      const [folder = ''] = await unpackLayers([layer], work);
      for (const below of ['var']) rmSync(join(folder, below), { recursive: true, force: true });
      await run('mksquashfs', [folder, draft, ...squashfsOptions(epochS, SYSTEM_LEVEL)]);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return { file: path, fresh };
}

export const squashfsOptions = (epochS: number, level: number) => [
  ...['-noappend', '-no-progress', '-quiet', '-comp', 'zstd', '-Xcompression-level', String(level), '-b', '256K'],
  ...['-all-time', String(epochS), '-mkfs-time', String(epochS)],
];

/** Our services and the card's configuration, as a layer over the system. `files` is a folder laid out like the root. */
export async function composeApp(system: Squashfs, files: string, epochS: number): Promise<Squashfs> {
  const key = contentKey({ values: [await sha256(system.file), epochS], files: [files, join(here, 'compose-app.sh')] });
  const { path, fresh } = await cached('app', key, async (draft) => {
    const work = workFolder();
    try {
      const lower = join(work, 'system');
      await run('unsquashfs', ['-q', '-n', '-d', lower, system.file]);
      await inNamespace('compose-app.sh', [lower], work, { FILES: files, OUT: draft, EPOCH: String(epochS) });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return { file: path, fresh };
}

async function compose(script: string, layers: readonly LayerTar[], out: string, environment: Record<string, string>): Promise<void> {
  const work = workFolder();
  try {
    await inNamespace(script, await unpackLayers(layers, work), work, { ...environment, OUT: out });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Runs one of the scripts beside this file on an overlay of folders, in a mount namespace that takes its mounts with it. */
async function inNamespace(script: string, lower: readonly string[], work: string, environment: Record<string, string>): Promise<void> {
  const [upper, overlay, merged] = ['upper', 'overlay', 'merged'].map((name) => join(work, name)) as [string, string, string];
  for (const folder of [upper, overlay, merged]) mkdirSync(folder, { recursive: true });
  await run('unshare', ['--mount', '--propagation', 'private', 'sh', join(here, script)], {
    environment: { ...environment, LOWER: [...lower].reverse().join(':'), UPPER: upper, WORK: overlay, MERGED: merged },
  });
}

/** Copies folders over one another into `out`, later ones win. */
export function layFiles(folders: readonly { from: string; to: string }[], out: string): void {
  for (const { from, to } of folders) cpSync(from, join(out, to), { recursive: true, verbatimSymlinks: true, preserveTimestamps: false });
}

export function writeFacts(file: string, facts: unknown): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(facts, null, 2)}\n`);
}
export const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
