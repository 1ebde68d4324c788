import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '@ledge/testing';

/** What the image is made of, as far as it can change here: Debian's part is fixed by the lock file among them. */
const SOURCES = [
  'image/**/*',
  'overlays/**/*',
  'system/**/*',
  'services/**/*',
  'webui/**/*',
  'tools/*.ts',
  'package-lock.json',
  '.git/HEAD',
];
const NOT_IN_IT = /(^|\/)(node_modules|tests|testing)\/|\.test\.ts$|README\.md$/;
const TOOLS = ['qemu-system-aarch64', 'qemu-img', 'mcopy', 'mmdebstrap', 'mksquashfs', 'rauc'];

/**
 * Makes the card image that the VM tests boot, unless it is there and made of these very sources.
 * @param what.bare also the plain Debian that its start is held against
 * @returns why it cannot be made, or undefined
 */
export async function makeImage(root: string, what: { bare: boolean }): Promise<string | undefined> {
  if (process.platform !== 'linux') return `images are made on Linux, and this is ${process.platform}`;
  const missing = TOOLS.filter((tool) => !findProgram(tool));
  const folder = join(root, 'dist', 'image');
  const stamp = join(folder, '.made-of');
  const wanted = sourcesKey(root);
  const isFresh = existsSync(join(folder, 'ledge-rpi.img')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (!isFresh) {
    if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
    if (process.getuid?.() !== 0) return 'images are made as root';
    if (!(await node(root, ['image/main.ts', 'rpi', '--no-compress']))) return 'the image could not be made; the lines above say why';
    mkdirSync(folder, { recursive: true });
    writeFileSync(stamp, wanted);
  }
  const bare = join(folder, 'bare-debian.img');
  if (what.bare && (!isFresh || !existsSync(bare)) && !(await node(root, ['image/bare.ts', bare])))
    return 'the plain Debian could not be made';
  return undefined;
}

function sourcesKey(root: string): string {
  const hash = createHash('sha256');
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => !NOT_IN_IT.test(file))
    .sort();
  for (const file of new Set(files)) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

async function node(root: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
