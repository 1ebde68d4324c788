import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from '@ledge/contract';
import { z } from 'zod';
import { writeFileAtomic } from '../paths.ts';
import { isStaging, SQLITE_SIDES, stagingName } from './names.ts';
import type { PreciousItem } from './precious.ts';

/** Settings are every service's own and always there, whatever else it may write: its journal lies beside them. */
const HOME = 'settings';

const journalSchema = z.object({
  id: z.uuid(),
  state: z.enum(['prepared', 'committed', 'swapping', 'swapped']),
  covers: z.array(z.string()),
  /** Decided once, when nothing of the service runs: a second try after a power cut must not take what is new for what was there before. */
  moves: z.array(z.object({ path: z.string(), old: z.boolean(), next: z.boolean() })).default([]),
});
export type Journal = z.output<typeof journalSchema>;

/** The file system as a swap needs it; a test cuts the power at any of these. */
export interface SwapFiles {
  exists(path: string): boolean;
  isFile(path: string): boolean;
  list(folder: string): string[];
  read(path: string): string | undefined;
  /** Whole or not at all, and on the disk. */
  write(path: string, text: string): void;
  move(from: string, to: string): void;
  makeFolder(path: string): void;
  remove(path: string): void;
  /** What happened in a folder survives a power cut from here on. */
  sync(folder: string): void;
}

export const diskSwapFiles: SwapFiles = {
  exists: existsSync,
  isFile: (path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true,
  list: (folder) => (existsSync(folder) ? readdirSync(folder).sort() : []),
  read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  write(path, text) {
    writeFileAtomic(path, text, 0o600);
    diskSwapFiles.sync(dirname(path));
  },
  move: renameSync,
  makeFolder: (path) => void mkdirSync(path, { recursive: true }),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  sync(folder) {
    if (process.platform === 'win32' || !existsSync(folder)) return; // Windows has no such call and needs none
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  },
};

/**
 * Where a service's part of a backup lies beside what is in use, and how it takes its place. Everything is moved within the top folder it belongs
 * to (`things/.restore-device/new/…`): on the card each of these is a mount of its own in the service's sandbox, and a rename does not cross mounts.
 */
export class RestoreArea {
  readonly #service: string;
  readonly #root: string;
  readonly #items: readonly PreciousItem[];
  readonly #files: SwapFiles;

  constructor(service: string, root: string, items: readonly PreciousItem[], files: SwapFiles = diskSwapFiles) {
    this.#service = service;
    this.#root = root;
    this.#items = items;
    this.#files = files;
  }

  get #journalFile(): string {
    return join(this.#staging(HOME), 'journal.json');
  }

  journal(): Journal | undefined {
    const text = this.#files.read(this.#journalFile);
    return text === undefined ? undefined : parse(journalSchema, JSON.parse(text), 'storage-failed', this.#journalFile);
  }

  /** The folder that is moved within: the first step of a path, or the data directory itself for a file right in it. */
  #top(path: string): string {
    return this.#items.some((item) => item.path === path && item.isTopFile) ? '' : (path.split('/')[0] ?? '');
  }
  #staging(top: string): string {
    return join(this.#root, top, stagingName(this.#service));
  }
  #beside(path: string, kind: 'new' | 'old'): string {
    const top = this.#top(path);
    return join(this.#staging(top), kind, top === '' ? path : path.slice(top.length + 1));
  }

  place(path: string): string {
    return join(this.#root, path);
  }
  /** Where a file of the backup is laid until it takes its place. */
  next(path: string): string {
    return this.#beside(path, 'new');
  }
  stagingFor(path: string): string {
    return this.#staging(this.#top(path));
  }

  /** From here on the part is whole and checked. */
  prepared(id: string, covers: readonly string[]): void {
    this.#write({ id, state: 'prepared', covers: [...covers], moves: [] });
  }

  /** The next start takes it over. @returns false when no part of this restore lies here */
  commit(id: string): boolean {
    const journal = this.journal();
    if (journal?.id !== id) return false;
    if (journal.state === 'prepared') this.#write({ ...journal, state: 'committed' });
    return true;
  }

  /** Forgets what lies beside, unless it is committed. @returns false when it is */
  drop(): boolean {
    const state = this.journal()?.state;
    if (state === 'committed' || state === 'swapping') return false;
    this.#clear();
    return true;
  }

  /**
   * Puts in place what is committed; run while nothing of the service runs. Interrupted anywhere, the next call finishes it.
   * @returns the id of the restore that is in place now
   */
  apply(): string | undefined {
    let journal = this.journal();
    if (journal?.state === 'committed') {
      journal = { ...journal, state: 'swapping', moves: journal.covers.flatMap((path) => this.#movesOf(path)) };
      this.#write(journal);
    }
    if (journal?.state === 'swapping') {
      for (const { path, old } of journal.moves) {
        const to = this.#beside(path, 'old');
        if (old && !this.#files.exists(to)) this.#move(this.place(path), to);
      }
      this.#syncAll(journal);
      for (const { path, next } of journal.moves) {
        const from = this.next(path);
        if (next && this.#files.exists(from)) this.#move(from, this.place(path));
      }
      this.#syncAll(journal);
      journal = { ...journal, state: 'swapped' };
      this.#write(journal);
    }
    return journal?.state === 'swapped' ? journal.id : undefined;
  }

  /** The service runs with what was put in place: what was there before may go. */
  finish(): void {
    if (this.journal()?.state === 'swapped') this.#clear();
  }

  #movesOf(cover: string): Journal['moves'] {
    const top = this.#top(cover);
    const paths = top === cover ? this.#childrenOf(cover) : [cover, ...this.#sidesOf(cover)];
    return paths
      .map((path) => ({ path, old: this.#files.exists(this.place(path)), next: this.#files.exists(this.next(path)) }))
      .filter(({ old, next }) => old || next);
  }

  /** A journal of the old database would be played into the new one. */
  #sidesOf(path: string): string[] {
    return this.#files.isFile(this.place(path)) || this.#files.isFile(this.next(path)) ? SQLITE_SIDES.map((side) => path + side) : [];
  }

  #childrenOf(top: string): string[] {
    const except = this.#items.find(({ path }) => path === top)?.except;
    const names = new Set([...this.#files.list(this.place(top)), ...this.#files.list(this.next(top))]);
    return [...names].filter((name) => !isStaging(name) && !except?.test(name)).map((name) => `${top}/${name}`);
  }

  #move(from: string, to: string): void {
    this.#files.makeFolder(dirname(to));
    this.#files.move(from, to);
  }

  #syncAll({ moves }: Journal): void {
    const folders = moves.flatMap(({ path }) =>
      [this.place(path), this.next(path), this.#beside(path, 'old')].map((file) => dirname(file)),
    );
    for (const folder of new Set(folders)) this.#files.sync(folder);
  }

  #write(journal: Journal): void {
    this.#files.makeFolder(dirname(this.#journalFile));
    this.#files.write(this.#journalFile, JSON.stringify(journal));
  }

  /** The journal goes last where it says that the swap is done, and first where nothing was decided: each way a power cut leaves no half. */
  #clear(): void {
    const home = this.#staging(HOME);
    const tops = [...new Set(this.#items.map(({ path }) => this.#top(path)))]
      .map((top) => this.#staging(top))
      .filter((path) => path !== home);
    if (this.journal()?.state === 'prepared') this.#files.remove(this.#journalFile);
    for (const path of tops) this.#files.remove(path);
    for (const kind of ['new', 'old']) this.#files.remove(join(home, kind));
    this.#files.remove(home);
  }
}

/** Was a restore of this service interrupted, or is one to be done? Costs one look. */
export const hasJournal = (service: string, root: string) => existsSync(join(root, HOME, stagingName(service), 'journal.json'));
