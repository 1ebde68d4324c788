import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Where layers and downloads are kept between builds: `EDGE_CACHE`, else the user's cache folder. Never inside the checkout. */
export function cacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  const root = environment.EDGE_CACHE ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ledge');
  mkdirSync(root, { recursive: true });
  return root;
}

/** A key that changes with anything a piece is made of: plain values, and files or folders by their content. */
export function contentKey(parts: { values: unknown; files?: readonly string[] }): string {
  const hash = createHash('sha256').update(JSON.stringify(parts.values));
  for (const path of parts.files ?? []) hashPath(hash, path, path);
  return hash.digest('hex').slice(0, 24);
}

function hashPath(hash: ReturnType<typeof createHash>, root: string, path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) {
    hash.update(`\0${relative(root, path)}\0>${readlinkSync(path)}`);
    return;
  }
  if (stat.isDirectory()) {
    for (const name of readdirSync(path).sort()) hashPath(hash, root, join(path, name));
    return;
  }
  hash.update(`\0${relative(root, path)}\0${stat.mode & 0o111 ? 'x' : '-'}\0`).update(readFileSync(path));
}

/**
 * The cached piece `<kind>/<key>`, made by `make` when it is missing. A piece appears whole or not at all: `make` writes to a draft
 * that is renamed when it is done. Older pieces of that kind that nobody used for two weeks go.
 */
export async function cached(kind: string, key: string, make: (draft: string) => Promise<void>): Promise<{ path: string; fresh: boolean }> {
  const folder = join(cacheRoot(), kind);
  const path = join(folder, key);
  mkdirSync(folder, { recursive: true });
  if (existsSync(path)) {
    markUsed(path);
    return { path, fresh: false };
  }
  forgetUnused(folder);
  const draft = join(folder, `.draft-${process.pid}-${key}`);
  rmSync(draft, { recursive: true, force: true });
  try {
    await make(draft);
    markUsed(draft);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  return { path, fresh: true };
}

function markUsed(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

const UNUSED_MS = 14 * 24 * 60 * 60_000;

function forgetUnused(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (Date.now() - statSync(path).mtimeMs > UNUSED_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
