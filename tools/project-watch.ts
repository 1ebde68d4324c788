import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';

/** An editor that saves writes several times; what is there when it is quiet is what counts. */
const DEBOUNCE_MS = 80;
/** In the project's folder, and no source of it. */
const NOT_SOURCES = new Set(['dist', 'data', 'node_modules', 'ledge']);

/** Watches folders, each for itself, for changes of what lies in them. */
export class FolderWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** From now on these folders and no others. A folder that is gone is left out. */
  follow(dirs: readonly string[]): void {
    for (const [dir, watcher] of this.#watchers) {
      if (dirs.includes(dir)) continue;
      watcher.close();
      this.#watchers.delete(dir);
    }
    for (const dir of dirs) if (!this.#watchers.has(dir)) this.#watch(dir);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.follow([]);
  }

  #watch(dir: string): void {
    try {
      const watcher = watch(dir, (_, name) => {
        if (name === null || (!name.startsWith('.') && !NOT_SOURCES.has(basename(name)))) this.#soon();
      });
      this.#watchers.set(dir, watcher);
      // removed with what was in it; a new one of that name is another folder
      watcher.on('error', () => this.#watchers.delete(dir));
    } catch {
      // it went while we looked
    }
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, DEBOUNCE_MS);
  }
}
