import { chmodSync, copyFileSync, cpSync, existsSync, globSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltProject } from '@ledge/kit';
import { buildAddons } from './addons.ts';
import { readLock } from './layers/lock.ts';
import { layProject } from './project/lay.ts';
import { layFiles, readJson, writeFacts } from './root/root.ts';
import { run } from './run.ts';

/** What a box says of its own software, `/usr/lib/ledge/release.json`. */
export interface ReleaseFacts {
  version: string;
  /** Git commit, with `-changed` when the sources were not as committed. */
  commit: string;
  /** RFC 3339; the time of the commit, so that equal sources make equal images. No clock may be before it. */
  built: string;
  machine: string;
  kiosk: boolean;
  /** The project that is in it, with the names of its services. */
  project?: { name: string; version: string; commit?: string; services: string[] };
}

/** The facts of this checkout, and of a project beside it, with the time of the younger of both in seconds since 1970. */
export async function releaseFacts(
  root: string,
  kiosk: boolean,
  project?: { sources: string; built: BuiltProject },
): Promise<{ facts: ReleaseFacts; epochS: number }> {
  const { version } = readJson<{ version: string }>(join(root, 'package.json'));
  const ours = await committed(root);
  const theirs = project && (await committed(project.sources));
  const epochS = Math.max(ours?.epochS ?? Date.parse(readLock().date) / 1000, theirs?.epochS ?? 0);
  const built = new Date(epochS * 1000).toISOString().replace('.000Z', 'Z');
  const facts: ReleaseFacts = { version, commit: ours?.commit ?? 'unknown', built, machine: 'rpi', kiosk };
  if (!project) return { facts, epochS };
  const { name, version: ofProject, services } = project.built;
  facts.project = {
    name,
    version: ofProject,
    ...(theirs ? { commit: theirs.commit } : {}),
    services: services.map((service) => service.name),
  };
  return { facts, epochS };
}

/** The commit that a folder was last changed by, and its time; undefined for a folder that is in no repository. */
async function committed(folder: string): Promise<{ commit: string; epochS: number } | undefined> {
  const git = async (...args: string[]) => (await run('git', ['-C', folder, '-c', 'safe.directory=*', ...args])).trim();
  const [commit, seconds] = await git('log', '-1', '--format=%H %ct', '--', '.').then(
    (text) => text.split(' '),
    () => [],
  );
  if (!commit) return undefined;
  const isChanged = (await git('status', '--porcelain', '--untracked-files=no', '--', '.')) !== '';
  return { commit: isChanged ? `${commit}-changed` : commit, epochS: Number(seconds) };
}

/** Lays our programs, pages, units and configuration into a folder as they will be in the root. */
export async function layAppFiles(parts: {
  root: string;
  out: string;
  release: ReleaseFacts;
  keyring: string;
  kiosk: boolean;
  project?: BuiltProject | undefined;
}): Promise<void> {
  const { root, out, release } = parts;
  const programs = join(out, 'usr/lib/ledge');
  await run('node', [join(root, 'tools/build.ts'), '--quiet']);
  layPrograms(root, programs, release);
  await buildAddons({ outDir: programs });
  const overlays = ['base', 'rpi', ...(parts.kiosk ? ['kiosk'] : [])]
    .map((name) => join(root, 'overlays', name))
    .filter((path) => existsSync(path));
  layFiles([...overlays.map((from) => ({ from, to: '' })), { from: join(root, 'system/units'), to: 'usr/lib/systemd/system' }], out);
  for (const file of globSync('**/{README.md,*.ts}', { cwd: out, exclude: (path) => path.includes('node_modules') }))
    rmSync(join(out, file));
  mkdirSync(join(out, 'etc/rauc'), { recursive: true });
  copyFileSync(parts.keyring, join(out, 'etc/rauc/keyring.pem'));
  if (parts.project) layProject(parts.project, out);
  plainRights(out);
}

/** Lays what `tools/build.ts` made into a folder: the programs with their chunks, the pages, and beside them what release they are of. */
export function layPrograms(root: string, programs: string, release: ReleaseFacts): void {
  mkdirSync(programs, { recursive: true });
  const dist = join(root, 'dist');
  for (const name of globSync('*.mjs', { cwd: dist })) copyFileSync(join(dist, name), join(programs, name));
  cpSync(join(dist, 'webui'), join(programs, 'webui'), { recursive: true });
  writeFacts(join(programs, 'release.json'), release);
}

/** Git keeps only "may be run"; everything else about rights is the same on every machine. */
export function plainRights(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
  }
}
