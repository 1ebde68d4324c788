import { type FSWatcher, watch } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { idSchema, Problem, parse } from '@ledge/contract';
import type { Clock, Logger, Random } from '@ledge/kit';

const SUFFIX = '.yaml';
/** An editor that saves writes several times; what it left when it is quiet is what counts. */
const DEBOUNCE_MS = 150;
const MAX_FILE_BYTES = 256 * 1024;
const REASONS: Record<string, string> = {
  EACCES: 'the user of this service may not read it',
  EPERM: 'the user of this service may not read it',
  ELOOP: 'it is a link that leads to itself',
};

export interface ThingsDirOptions {
  dir: string;
  clock: Clock;
  random: Random;
  log: Logger;
  rescanMs: number;
  /** A file that is new, or whose text is another one. */
  onFile: (id: string, yaml: string, file: string) => Promise<void> | void;
  /** Something of that name is there, and cannot be read. */
  onUnreadable: (id: string, why: string, file: string) => Promise<void> | void;
  onGone: (id: string) => Promise<void> | void;
}

/** What a file says, or why it cannot be read. */
type Content = { yaml: string } | { why: string };

/**
 * The directory of thing files. Changes are noticed through the file system's notification, and by looking through it now and then where that
 * tells nothing (network drives, a directory that was replaced). Only texts count, so a file that was touched is no change.
 */
export class ThingsDir {
  readonly #options: ThingsDirOptions;
  /** What was told of each file. */
  readonly #told = new Map<string, Content>();
  #watcher: FSWatcher | undefined;
  /** Which directory is watched: a new one may have the inode of the one that was removed. */
  #watched: string | undefined;
  #cancels: (() => void)[] = [];
  #cancelDebounce: (() => void) | undefined;
  #scanning: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ThingsDirOptions) {
    this.#options = options;
  }

  /** Makes the directory when it is missing, and tells every file in it. */
  async start(): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true });
    await this.rescan();
    this.#cancels = [this.#options.clock.every(this.#options.rescanMs, () => void this.rescan())];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancelDebounce?.();
    this.#watcher?.close();
    await this.#scanning;
  }

  /** Looks through the directory, after whatever look is under way. Never rejects. */
  async rescan(): Promise<void> {
    await this.#inTurn(() => this.#scan()).catch((error: unknown) => {
      this.#options.log.error({ err: error, dir: this.#options.dir }, 'thing files could not be read');
    });
  }

  /** The YAML of a thing, or undefined. */
  async read(id: string): Promise<string | undefined> {
    const content = await contentOf(this.#path(id));
    if (content && 'why' in content) throw new Problem('storage-failed', `${id}${SUFFIX} could not be read: ${content.why}`);
    return content?.yaml;
  }

  /** Writes a thing's file whole or not at all, and tells it at once. */
  async write(id: string, yaml: string): Promise<void> {
    const path = this.#path(id);
    const draft = join(this.#options.dir, `.${id}.${Math.floor(this.#options.random() * 1e9).toString(36)}.tmp`);
    await this.#inTurn(async () => {
      try {
        const file = await open(draft, 'w', 0o644);
        try {
          await file.writeFile(yaml);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
      } catch (cause) {
        await rm(draft, { force: true });
        throw new Problem('storage-failed', `${id}${SUFFIX} could not be written: ${(cause as Error).message}`, { cause });
      }
      await this.#tell(id, { yaml });
    });
  }

  /** Removes a thing's file and tells it at once. Returns whether there was one. */
  async remove(id: string): Promise<boolean> {
    const path = this.#path(id);
    return await this.#inTurn(async () => {
      const there = await stat(path).then(
        () => true,
        () => false,
      );
      await rm(path, { force: true });
      if (this.#told.delete(id)) await this.#options.onGone(id);
      return there;
    });
  }

  /** Names, without the suffix, of the files that are there. */
  get ids(): string[] {
    return [...this.#told.keys()].sort();
  }

  /** A name that is there is no way out of the directory; any other one must be an id. */
  #path(id: string): string {
    return join(this.#options.dir, `${this.#told.has(id) ? id : parse(idSchema, id)}${SUFFIX}`);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#scanning.then(work);
    this.#scanning = mine.then(
      () => {},
      () => {},
    );
    return mine;
  }

  async #scan(): Promise<void> {
    if (this.#stopped) return;
    const { dir, log, onGone } = this.#options;
    await this.#watch();
    const names = (await readdir(dir)).filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')).sort();
    const present = new Set<string>();
    for (const name of names) {
      const id = name.slice(0, -SUFFIX.length);
      const content = await contentOf(join(dir, name));
      if (content === undefined) continue; // it went while we looked
      present.add(id);
      // whatever one file does, the others are looked at
      await this.#tell(id, content).catch((error: unknown) => log.error({ err: error, file: name }, 'thing file could not be used'));
    }
    for (const id of [...this.#told.keys()]) {
      if (present.has(id)) continue;
      this.#told.delete(id);
      await onGone(id);
    }
  }

  async #tell(id: string, content: Content): Promise<void> {
    if (isDeepStrictEqual(this.#told.get(id), content)) return;
    this.#told.set(id, content);
    const { onFile, onUnreadable } = this.#options;
    const file = `${id}${SUFFIX}`;
    if ('yaml' in content) await onFile(id, content.yaml, file);
    else await onUnreadable(id, content.why, file);
  }

  /** Watches the directory that is there now: it may have been replaced by another of that name. */
  async #watch(): Promise<void> {
    const { dir, log } = this.#options;
    await mkdir(dir, { recursive: true });
    const { dev, ino, birthtimeMs } = await stat(dir);
    const present = `${dev} ${ino} ${birthtimeMs}`;
    if (this.#watcher && this.#watched === present) return;
    this.#watcher?.close();
    try {
      this.#watcher = watch(dir, () => this.#soon());
      this.#watched = present;
      this.#watcher.on('error', (error) => {
        log.warn({ err: error, dir }, 'thing files are not watched; they are looked through now and then');
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch (error) {
      this.#watcher = undefined;
      log.warn({ err: error, dir }, 'thing files cannot be watched; they are looked through now and then');
    }
  }

  #soon(): void {
    this.#cancelDebounce?.();
    this.#cancelDebounce = this.#options.clock.after(DEBOUNCE_MS, () => void this.rescan());
  }
}

/** What a file says; undefined when there is none. A pipe or a device of that name is not opened: it could be read for ever. */
async function contentOf(path: string): Promise<Content | undefined> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return { why: 'it is no file' };
    if (facts.size > MAX_FILE_BYTES) return { why: `it has ${facts.size} bytes; ${MAX_FILE_BYTES} or less are wanted` };
    return { yaml: await readFile(path, 'utf8') };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return { why: REASONS[code] ?? `${code}: ${(error as Error).message}` };
  }
}
