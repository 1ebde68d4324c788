import { type FSWatcher, watch } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { idSchema, Problem, parse } from '@ledge/contract';
import type { Clock, Logger, Random } from '@ledge/kit';

const SUFFIX = '.yaml';
/** An editor that saves writes several times; what it left when it is quiet is what counts. */
const DEBOUNCE_MS = 150;
const MAX_FILE_BYTES = 256 * 1024;

export interface ThingsDirOptions {
  dir: string;
  clock: Clock;
  random: Random;
  log: Logger;
  rescanMs: number;
  /** A file that is new, or whose text is another one. */
  onFile: (id: string, yaml: string, file: string) => Promise<void> | void;
  onGone: (id: string) => Promise<void> | void;
}

/**
 * The directory of thing files. Changes are noticed through the file system's notification, and by looking through it now and then where that
 * tells nothing (network drives, a directory that was replaced). Only texts count, so a file that was touched is no change.
 */
export class ThingsDir {
  readonly #options: ThingsDirOptions;
  readonly #texts = new Map<string, string>();
  #watcher: FSWatcher | undefined;
  #watchedInode: number | undefined;
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
    return await readFile(this.#path(id), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Problem('storage-failed', `${id}${SUFFIX} could not be read: ${error.message}`, { cause: error });
    });
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
      await this.#tell(id, yaml);
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
      if (this.#texts.delete(id)) await this.#options.onGone(id);
      return there;
    });
  }

  #path(id: string): string {
    return join(this.#options.dir, `${parse(idSchema, id)}${SUFFIX}`);
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
    const { dir, onGone } = this.#options;
    await this.#watch();
    const names = (await readdir(dir)).filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')).sort();
    const present = new Set<string>();
    for (const name of names) {
      const id = name.slice(0, -SUFFIX.length);
      const yaml = await this.#text(join(dir, name));
      if (yaml === undefined) continue; // it went while we looked
      present.add(id);
      await this.#tell(id, yaml);
    }
    for (const id of [...this.#texts.keys()]) {
      if (present.has(id)) continue;
      this.#texts.delete(id);
      await onGone(id);
    }
  }

  async #text(path: string): Promise<string | undefined> {
    try {
      const { size } = await stat(path);
      return size <= MAX_FILE_BYTES
        ? await readFile(path, 'utf8')
        : `# this file has ${size} bytes; ${MAX_FILE_BYTES} or less are wanted\n`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #tell(id: string, yaml: string): Promise<void> {
    if (this.#texts.get(id) === yaml) return;
    this.#texts.set(id, yaml);
    await this.#options.onFile(id, yaml, `${id}${SUFFIX}`);
  }

  /** Watches the directory that is there now: it may have been replaced by another of that name. */
  async #watch(): Promise<void> {
    const { dir, log } = this.#options;
    await mkdir(dir, { recursive: true });
    const { ino } = await stat(dir);
    if (this.#watcher && this.#watchedInode === ino) return;
    this.#watcher?.close();
    try {
      this.#watcher = watch(dir, () => this.#soon());
      this.#watchedInode = ino;
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
