import { chmodSync, copyFileSync, cpSync, existsSync, globSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildAddons } from './addons.ts';
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
}

/** The facts of this checkout, and their time in seconds since 1970. */
export async function releaseFacts(root: string, kiosk: boolean): Promise<{ facts: ReleaseFacts; epochS: number }> {
  const { version } = readJson<{ version: string }>(join(root, 'package.json'));
  const git = async (...args: string[]) => (await run('git', ['-C', root, '-c', `safe.directory=${root}`, ...args])).trim();
  const [commit = '', seconds = '0'] = (await git('log', '-1', '--format=%H %ct')).split(' ');
  const changed = (await git('status', '--porcelain', '--untracked-files=no')) !== '';
  const epochS = Number(seconds);
  const built = new Date(epochS * 1000).toISOString().replace('.000Z', 'Z');
  return { facts: { version, commit: changed ? `${commit}-changed` : commit, built, machine: 'rpi', kiosk }, epochS };
}

/** Lays our programs, pages, units and configuration into a folder as they will be in the root. */
export async function layAppFiles(parts: {
  root: string;
  out: string;
  release: ReleaseFacts;
  keyring: string;
  kiosk: boolean;
}): Promise<void> {
  const { root, out, release } = parts;
  const programs = join(out, 'usr/lib/ledge');
  mkdirSync(programs, { recursive: true });
  await run('node', [join(root, 'tools/build.ts'), '--quiet']);
  for (const name of globSync('*.mjs', { cwd: join(root, 'dist') })) copyFileSync(join(root, 'dist', name), join(programs, name));
  cpSync(join(root, 'dist/webui'), join(programs, 'webui'), { recursive: true });
  await buildAddons({ outDir: programs });
  const overlays = ['base', 'rpi', ...(parts.kiosk ? ['kiosk'] : [])]
    .map((name) => join(root, 'overlays', name))
    .filter((path) => existsSync(path));
  layFiles([...overlays.map((from) => ({ from, to: '' })), { from: join(root, 'system/units'), to: 'usr/lib/systemd/system' }], out);
  for (const file of globSync('**/{README.md,*.ts}', { cwd: out, exclude: (path) => path.includes('node_modules') }))
    rmSync(join(out, file));
  mkdirSync(join(out, 'etc/rauc'), { recursive: true });
  copyFileSync(parts.keyring, join(out, 'etc/rauc/keyring.pem'));
  writeFacts(join(programs, 'release.json'), release);
  plainRights(out);
}

/** Git keeps only "may be run"; everything else about rights is the same on every machine. */
function plainRights(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
  }
}
