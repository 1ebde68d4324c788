import { createWriteStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join, sep } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type LibraryItem, Problem, shown } from '@ledge/contract';
import { librarySegments, newLibrarySegments } from './source.ts';
import { flush, readTags, type Tags } from './tags.ts';

/** What mplayer plays and tags are read of. */
export const SOUND_EXTENSIONS = ['.mp3', '.ogg', '.oga', '.opus', '.flac', '.wav', '.m4a', '.aac', '.aif', '.aiff', '.wma', '.mp2', '.mka'];
export const TEMPORARY = '.upload-';

interface Cached {
  mtimeMs: number;
  bytes: number;
  tags: Tags | undefined;
}

/** The folder of sound files below the data directory. Paths are relative, with `/`, on every system. */
export class Library {
  readonly #root: string;
  readonly #newId: () => string;
  readonly #cache = new Map<string, Cached>();

  constructor(root: string, newId: () => string) {
    this.#root = root;
    this.#newId = newId;
  }

  /** Makes the folder, and clears uploads that a power cut left behind. */
  async start(): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    for (const name of await readdir(this.#root)) if (name.startsWith(TEMPORARY)) await rm(join(this.#root, name), { force: true });
  }

  /** All sound files, by path. */
  async list(): Promise<LibraryItem[]> {
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && isSound(entry.name))
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(this.#root.length + 1)
          .split(sep)
          .join('/'),
      )
      .filter((path) => !path.split('/').some((segment) => segment.startsWith('.')))
      .sort((a, b) => a.localeCompare(b));
    const items: LibraryItem[] = [];
    for (const path of paths) {
      const item = await this.#item(path, join(this.#root, ...path.split('/'))).catch(() => undefined);
      if (item) items.push(item);
    }
    for (const path of this.#cache.keys()) if (!paths.includes(path)) this.#cache.delete(path);
    return items;
  }

  /** Reads the tags of all files anew. Tells how many there are. */
  async rescan(): Promise<number> {
    this.#cache.clear();
    return (await this.list()).length;
  }

  /** @throws Problem `invalid-value` for a path that cannot be one, `not-found`. */
  async find(path: string): Promise<{ file: string; item: LibraryItem }> {
    const file = await this.#existing(path);
    return { file, item: await this.#item(path, file) };
  }

  /**
   * Takes a file in, whole or not at all; one of that name is replaced.
   * @throws Problem `invalid-value` for a name that does not do, `payload-too-large`, `unsupported-media-type` for what is no sound by its
   * content, `storage-failed` for a full disk.
   */
  async store(path: string, body: Readable, limitBytes: number, signal?: AbortSignal): Promise<LibraryItem> {
    const segments = newLibrarySegments(path);
    if (!isSound(path)) {
      throw new Problem('unsupported-media-type', `file is ${shown(path)}; a sound file is wanted: ${SOUND_EXTENSIONS.join(', ')}`);
    }
    const file = join(this.#root, ...segments);
    const draft = join(this.#root, `${TEMPORARY}${this.#newId()}`);
    try {
      await pipeline(body, limited(limitBytes, path), createWriteStream(draft, { flags: 'wx' }), signal ? { signal } : {});
      if (!(await readTags(draft))) throw new Problem('unsupported-media-type', `${shown(path)} holds no sound that is known here`);
      await flush(draft);
      await mkdir(dirname(file), { recursive: true });
      await this.#inside(dirname(file), path);
      await rename(draft, file);
    } catch (error) {
      throw asProblem(error, path);
    } finally {
      await rm(draft, { force: true });
    }
    return this.#item(segments.join('/'), file);
  }

  /** @throws Problem `not-found` */
  async erase(path: string): Promise<void> {
    await rm(await this.#existing(path));
    this.#cache.delete(path);
  }

  async #existing(path: string): Promise<string> {
    const file = join(this.#root, ...librarySegments(path));
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) throw new Problem('not-found', `There is no file ${shown(path)} in the library`);
    await this.#inside(file, path);
    return file;
  }

  /** A link inside the library may point out of it: that is not the library's. */
  async #inside(file: string, path: string): Promise<void> {
    const root = await realpath(this.#root);
    const real = await realpath(file);
    if (real !== root && !real.startsWith(root + sep)) throw new Problem('not-found', `There is no file ${shown(path)} in the library`);
  }

  async #item(path: string, file: string): Promise<LibraryItem> {
    const { mtimeMs, size: bytes } = await stat(file);
    let cached = this.#cache.get(path);
    if (cached?.mtimeMs !== mtimeMs || cached.bytes !== bytes) {
      cached = { mtimeMs, bytes, tags: await readTags(file) };
      this.#cache.set(path, cached);
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    return { path, bytes, ...(cached.tags ?? { title: name.slice(0, name.length - extname(name).length), durationS: null }) };
  }
}

export const isSound = (name: string) => SOUND_EXTENSIONS.includes(extname(name).toLowerCase());

function limited(limitBytes: number, path: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= limitBytes) done(null, chunk);
      else done(tooLarge(path, limitBytes));
    },
  });
}

export const tooLarge = (path: string, limitBytes: number) =>
  new Problem('payload-too-large', `${shown(path)} is larger than ${Math.round(limitBytes / 1e6)} MB, the limit in the settings`);

function asProblem(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Problem('storage-failed', `The disk is full; ${shown(path)} was not kept`, { cause: error });
  if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'ENOTEMPTY') {
    return new Problem('invalid-value', `file is ${shown(path)}; a name that is not also a folder's is wanted`, { cause: error });
  }
  if (code === 'ENAMETOOLONG') return new Problem('invalid-value', `file is ${shown(path)}; a shorter name is wanted`, { cause: error });
  if (syscall !== undefined) return new Problem('storage-failed', `${shown(path)} could not be kept (${code})`, { cause: error });
  return error;
}
