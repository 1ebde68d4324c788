import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mediaStateSchema, Problem, shown, type Track, trackSchema } from '@ledge/contract';
import { type Clock, type Logger, writeFileAtomic } from '@ledge/kit';
import { z } from 'zod';

/** What outlives a restart of the service. */
const rememberedSchema = mediaStateSchema
  .pick({ queue: true, index: true, volume: true, muted: true, repeat: true })
  .extend({ mode: z.enum(['playing', 'paused', 'stopped']), positionS: z.number().min(0) });
export type Remembered = z.infer<typeof rememberedSchema>;

export const FRESH: Remembered = { queue: [], index: null, volume: 50, muted: false, repeat: 'off', mode: 'stopped', positionS: 0 };

const playlistsSchema = z.record(z.string(), z.array(trackSchema));

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

/** Stored playlists, by name, in one file. */
export class Playlists {
  readonly #file: string;
  readonly #log: Logger;

  constructor(folder: string, log: Logger) {
    this.#file = join(folder, 'playlists.json');
    this.#log = log;
  }

  list(): { name: string; tracks: number }[] {
    return Object.entries(this.#all())
      .map(([name, tracks]) => ({ name, tracks: tracks.length }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @throws Problem `not-found` */
  get(name: string): Track[] {
    const all = this.#all();
    const tracks = Object.hasOwn(all, name) ? all[name] : undefined;
    if (!tracks) throw new Problem('not-found', `There is no playlist ${shown(name)}`);
    return tracks;
  }

  save(name: string, tracks: readonly Track[]): void {
    this.#write({ ...this.#all(), [name]: [...tracks] });
  }

  /** @throws Problem `not-found` */
  remove(name: string): void {
    this.get(name);
    const { [name]: _gone, ...rest } = this.#all();
    this.#write(rest);
  }

  #all(): Record<string, Track[]> {
    return read(this.#file, playlistsSchema, this.#log) ?? {};
  }

  #write(all: Record<string, Track[]>): void {
    try {
      writeFileAtomic(this.#file, JSON.stringify(all));
    } catch (error) {
      throw new Problem('storage-failed', 'The playlists could not be written', { cause: error });
    }
  }
}
