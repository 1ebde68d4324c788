import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { INITRAMFS_MODULES, withDependencies } from '../kernel/modules.ts';
import { run, runBytes } from '../run.ts';
import { type CpioEntry, cpio, FILE, FOLDER, LINK, PROGRAM } from './cpio.ts';

/** Programs that busybox has not, or not well enough, from the root that the card carries. */
const PROGRAMS = ['e2fsck', 'mke2fs', 'resize2fs', 'dumpe2fs', 'losetup', 'fw_setenv'];
const APPLETS = [
  ...[
    'sh',
    'mount',
    'umount',
    'modprobe',
    'cat',
    'dd',
    'tr',
    'head',
    'tail',
    'sed',
    'grep',
    'find',
    'ln',
    'ls',
    'mkdir',
    'mv',
    'rm',
    'chmod',
    'stat',
  ],
  ...['hexdump', 'usleep', 'sleep', 'sync', 'reboot', 'blockdev', 'blkdiscard', 'switch_root', 'printf', 'expr', 'test', '['],
];
const FOLDERS = ['bin', 'dev', 'etc', 'lib', 'mnt', 'proc', 'root', 'run', 'sbin', 'slot', 'sys', 'tmp', 'layers'];
const LIBRARY_FOLDERS = ['usr/lib/aarch64-linux-gnu', 'usr/lib'];
/** Where the boot state is, seen from the initramfs; offsets as in the box's own `/etc/fw_env.config`. */
const FW_ENV_CONFIG = '/dev/ledge-state 0x0 0x1000\n/dev/ledge-state 0x400000 0x1000\n';

export interface InitramfsInputs {
  /** Folders with the card's root, uppermost first. */
  roots: readonly string[];
  busybox: string;
  /** Folder with `usr/lib/modules/<release>`. */
  kernelRoot: string;
  release: string;
  epochS: number;
}

/** The initramfs, zstd-packed: our init, busybox, e2fsprogs, and the modules that a boot needs before its root is there. */
export async function buildInitramfs(
  { roots, busybox, kernelRoot, release, epochS }: InitramfsInputs,
  init = join(import.meta.dirname, 'init'),
): Promise<Buffer> {
  const entries = new Map<string, CpioEntry>();
  const add = (entry: CpioEntry) => {
    for (let folder = dirname(entry.path); folder !== '.'; folder = dirname(folder)) {
      if (!entries.has(folder)) entries.set(folder, { path: folder, mode: FOLDER });
    }
    entries.set(entry.path, entry);
  };
  for (const folder of FOLDERS) add({ path: folder, mode: FOLDER });
  add({ path: 'init', mode: PROGRAM, content: readFileSync(init) });
  add({ path: 'bin/busybox', mode: PROGRAM, content: readFileSync(busybox) });
  for (const applet of APPLETS) add({ path: `bin/${applet}`, mode: LINK, content: Buffer.from('busybox') });
  add({ path: 'dev/console', mode: 0o020600, device: [5, 1] });
  add({ path: 'dev/kmsg', mode: 0o020600, device: [1, 11] });
  add({ path: 'dev/null', mode: 0o020666, device: [1, 3] });
  add({ path: 'etc/fw_env.config', mode: FILE, content: Buffer.from(FW_ENV_CONFIG) });
  add({ path: 'etc/mke2fs.conf', mode: FILE, content: readFileSync(find(roots, ['etc/mke2fs.conf'])) });

  const libraries = new Set<string>();
  for (const program of PROGRAMS) {
    const file = find(
      roots,
      ['usr/sbin', 'usr/bin'].map((folder) => `${folder}/${program}`),
    );
    add({ path: `sbin/${program}`, mode: PROGRAM, content: readFileSync(file) });
    await collectLibraries(file, roots, libraries);
  }
  const loader = find(
    roots,
    LIBRARY_FOLDERS.map((folder) => `${folder}/ld-linux-aarch64.so.1`),
  );
  add({ path: 'lib/ld-linux-aarch64.so.1', mode: PROGRAM, content: readFileSync(loader) });
  for (const library of libraries) {
    if (!basename(library).startsWith('ld-linux'))
      add({ path: `lib/${library}`, mode: PROGRAM, content: readFileSync(findLibrary(roots, library)) });
  }

  const modules = join('usr/lib/modules', release);
  const from = join(kernelRoot, modules);
  const to = join('lib/modules', release);
  const paths = withDependencies(INITRAMFS_MODULES, readFileSync(join(from, 'modules.dep'), 'utf8'));
  for (const path of paths) add({ path: join(to, path), mode: FILE, content: readFileSync(join(from, path)) });
  const dependencies = readFileSync(join(from, 'modules.dep'), 'utf8')
    .split('\n')
    .filter((line) => paths.includes(line.split(':')[0] ?? ''));
  add({ path: join(to, 'modules.dep'), mode: FILE, content: Buffer.from(`${dependencies.join('\n')}\n`) });
  const names = paths.map((path) => basename(path).replace(/\.ko.*$/, ''));
  add({ path: 'modules', mode: FILE, content: Buffer.from(`${names.join('\n')}\n`) });

  const sorted = [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return await compress(cpio(sorted, epochS));
}

async function compress(archive: Buffer): Promise<Buffer> {
  return await runBytes('zstd', ['-19', '-T1', '-c'], { input: archive });
}

/** The first of some paths that one of the roots has; links are followed inside that root. @throws Error naming what was looked for */
function find(roots: readonly string[], paths: readonly string[]): string {
  for (const root of roots) {
    for (const path of paths) {
      const file = resolveInside(root, path);
      if (file) return file;
    }
  }
  throw new Error(`None of ${paths.join(', ')} is in the root that the card will carry.`);
}
const findLibrary = (roots: readonly string[], name: string) =>
  find(
    roots,
    LIBRARY_FOLDERS.map((folder) => `${folder}/${name}`),
  );

function resolveInside(root: string, path: string): string | undefined {
  for (let hops = 0; hops < 8; hops++) {
    const file = join(root, path);
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (!stat) return undefined;
    if (!stat.isSymbolicLink()) return existsSync(file) ? file : undefined;
    const target = readlinkSync(file);
    path = target.startsWith('/') ? target.slice(1) : normalize(join(dirname(path), target));
  }
  return undefined;
}

/** Shared libraries that an ELF file names (`readelf -d`), and what those name. */
async function collectLibraries(file: string, roots: readonly string[], found: Set<string>): Promise<void> {
  const text = await run('readelf', ['-d', file]);
  for (const [, name = ''] of text.matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
    if (found.has(name)) continue;
    found.add(name);
    await collectLibraries(findLibrary(roots, name), roots, found);
  }
}
