import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};
const ENCODINGS = { br: '.br', gzip: '.gz' } as const;
export type Encoding = keyof typeof ENCODINGS;

/** Vite puts a hash of eight signs of the content into such names: the file under a name never changes. */
const HASHED = /^\/assets\/.*[-.][A-Za-z0-9_-]{8,}\.\w+$/;

export interface WebFile {
  /** Where it lies, by encoding. */
  file: string;
  compressed: Partial<Record<Encoding, string>>;
  type: string;
  etag: string;
  immutable: boolean;
}

/**
 * The files of the web UI by URL path. A request can only name what is in this list, so no path leads out of the folder;
 * the list is made again when `index.html` changes, as a build does.
 */
export class WebFiles {
  readonly #dir: string;
  #files = new Map<string, WebFile>();
  #indexChangedMs = Number.NaN;

  constructor(dir: string) {
    this.#dir = dir;
  }

  find(path: string): WebFile | undefined {
    this.#refresh();
    return this.#files.get(path);
  }

  #refresh(): void {
    const changedMs = statSync(join(this.#dir, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
    if (changedMs === this.#indexChangedMs) return;
    this.#indexChangedMs = changedMs ?? Number.NaN;
    this.#files = changedMs === undefined ? new Map() : listFiles(this.#dir);
  }
}

function listFiles(dir: string): Map<string, WebFile> {
  const paths = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const present = new Set(paths);
  const files = new Map<string, WebFile>();
  for (const file of paths) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const path = `/${relative(dir, file).split(sep).join('/')}`;
    const compressed = Object.fromEntries(
      Object.entries(ENCODINGS).flatMap(([encoding, suffix]) => (present.has(file + suffix) ? [[encoding, file + suffix]] : [])),
    );
    const etag = `"${createHash('sha256').update(readFileSync(file)).digest('base64url').slice(0, 22)}"`;
    files.set(path, { file, compressed, type, etag, immutable: HASHED.test(path) });
  }
  return files;
}
