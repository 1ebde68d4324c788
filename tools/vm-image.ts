import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findProgram } from '@ledge/testing';
import { contentKey } from '../image/cache.ts';

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
const NOT_IN_IT = /(^|\/)(node_modules|tests|testing|docker)\/|\.test\.ts$|README\.md$/;
/** The project whose image is tested. */
const PROJECT = 'examples/weather-station';
const TOOLS = ['qemu-system-aarch64', 'qemu-img', 'mcopy', 'mmdebstrap', 'mksquashfs', 'rauc'];

/** An image, the folder that it lies in, and the arguments that make it. */
interface Image {
  file: string;
  sources: readonly string[];
  args: readonly string[];
}
const CARD: Image = { file: 'ledge-rpi.img', sources: SOURCES, args: [] };
const PROJECT_CARD: Image = {
  file: 'weather-station/weather-station-rpi.img',
  sources: [...SOURCES, `${PROJECT}/{services,drivers,things}/**/*`, `${PROJECT}/{package.json,package-lock.json,ledge.yaml}`],
  args: ['--project', PROJECT],
};

/**
 * Makes the card images that the VM tests boot, unless they are there and made of these very sources.
 * @param what.bare also the plain Debian that its start is held against
 * @param what.project also that of the example project
 * @returns why one cannot be made, or undefined
 */
export async function makeImages(root: string, what: { bare: boolean; project: boolean }): Promise<string | undefined> {
  if (process.platform !== 'linux') return `images are made on Linux, and this is ${process.platform}`;
  for (const image of [CARD, ...(what.project ? [PROJECT_CARD] : [])]) {
    const why = await makeImage(root, image);
    if (why !== undefined) return why;
  }
  const [card, bare] = [CARD.file, 'bare-debian.img'].map((name) => join(root, 'dist', 'image', name)) as [string, string];
  const isOld = !existsSync(bare) || statSync(bare).mtimeMs < statSync(card).mtimeMs;
  if (what.bare && isOld && !(await node(root, ['image/bare.ts', bare]))) return 'the plain Debian could not be made';
  return undefined;
}

async function makeImage(root: string, { file, sources, args }: Image): Promise<string | undefined> {
  const path = join(root, 'dist', 'image', file);
  const stamp = join(dirname(path), '.made-of');
  const wanted = sourcesKey(root, sources);
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return undefined;
  const missing = TOOLS.filter((tool) => !findProgram(tool));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (process.getuid?.() !== 0) return 'images are made as root';
  if (!(await node(root, ['image/main.ts', 'rpi', '--no-compress', ...args])))
    return `${basename(path)} could not be made; the lines above say why`;
  writeFileSync(stamp, wanted);
  return undefined;
}

function sourcesKey(root: string, sources: readonly string[]): string {
  const files = sources
    .flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => !NOT_IN_IT.test(file))
    .sort();
  const names = [...new Set(files)];
  return contentKey({ values: names, files: names.map((file) => join(root, file)) });
}

async function node(root: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
