import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mediaStateSchema, Problem, type Radio, radioSchema, shown, type Track, trackSchema } from '@ledge/contract';
import { type Clock, type Logger, writeFileAtomic } from '@ledge/kit';
import { z } from 'zod';

/** What outlives a restart of the service. */
const rememberedSchema = mediaStateSchema
  .pick({ queue: true, index: true, volume: true, muted: true, repeat: true })
  .extend({ mode: z.enum(['playing', 'paused', 'stopped']), positionS: z.number().min(0) });
export type Remembered = z.infer<typeof rememberedSchema>;

export const FRESH: Remembered = { queue: [], index: null, volume: 50, muted: false, repeat: 'off', mode: 'stopped', positionS: 0 };

/** Changes that follow each other quickly are written once. */
const SAVE_AFTER_MS = 2000;

function read<S extends z.ZodType>(file: string, schema: S, log: Logger): z.output<S> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    log.warn({ file, err: error }, 'what was remembered cannot be read; beginning afresh');
    return undefined;
  }
}

/** Keeps the player's state in one small file, written seldom (an SD card) and whole or not at all. */
export class StateFile {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #written = '';
  #cancel: (() => void) | undefined;

  constructor(folder: string, clock: Clock, log: Logger) {
    this.#file = join(folder, 'state.json');
    this.#clock = clock;
    this.#log = log;
  }

  load(): Remembered {
    const remembered = read(this.#file, rememberedSchema, this.#log) ?? FRESH;
    this.#written = JSON.stringify(remembered);
    return remembered;
  }

  /** Writes soon what `state` says then. */
  soon(state: () => Remembered): void {
    this.#cancel ??= this.#clock.after(SAVE_AFTER_MS, () => this.now(state()));
  }

  now(state: Remembered): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const text = JSON.stringify(state);
    if (text === this.#written) return;
    try {
      writeFileAtomic(this.#file, text);
      this.#written = text;
    } catch (error) {
      this.#log.error({ file: this.#file, err: error }, 'the player’s state could not be written');
    }
  }
}

/** Entries by name in one file, written whole or not at all. */
class Shelf<T> {
  readonly #file: string;
  readonly #what: string;
  readonly #schema: z.ZodType<Record<string, T>>;
  readonly #log: Logger;

  /** @param what one entry is called in error sentences */
  constructor(file: string, what: string, schema: z.ZodType<T>, log: Logger) {
    this.#file = file;
    this.#what = what;
    this.#schema = z.record(z.string(), schema);
    this.#log = log;
  }

  all(): Record<string, T> {
    return read(this.#file, this.#schema, this.#log) ?? {};
  }

  /** @throws Problem `not-found` */
  get(name: string): T {
    const all = this.all();
    const entry = Object.hasOwn(all, name) ? all[name] : undefined;
    if (entry === undefined) throw new Problem('not-found', `There is no ${this.#what} ${shown(name)}`);
    return entry;
  }

  /** @throws Problem `storage-failed` */
  put(name: string, entry: T): void {
    this.#write({ ...this.all(), [name]: entry });
  }

  /** @throws Problem `not-found`, `storage-failed` */
  remove(name: string): void {
    this.get(name);
    const { [name]: _gone, ...rest } = this.all();
    this.#write(rest);
  }

  #write(all: Record<string, T>): void {
    try {
      writeFileAtomic(this.#file, JSON.stringify(all));
    } catch (error) {
      throw new Problem('storage-failed', `The ${this.#what}s could not be written`, { cause: error });
    }
  }
}

/** Stored playlists, by name. */
export class Playlists extends Shelf<Track[]> {
  constructor(folder: string, log: Logger) {
    super(join(folder, 'playlists.json'), 'playlist', z.array(trackSchema), log);
  }

  list(): { name: string; tracks: number }[] {
    return Object.entries(this.all())
      .map(([name, tracks]) => ({ name, tracks: tracks.length }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }
}

/** Stored radio stations, by id. */
export class Radios extends Shelf<Radio> {
  constructor(folder: string, log: Logger) {
    super(join(folder, 'radios.json'), 'radio', radioSchema, log);
  }

  list(): Radio[] {
    return Object.values(this.all()).sort((a, b) => a.name.localeCompare(b.name));
  }
}
