import { Problem } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import { Batch, type Columns, type Sample, samplesOf } from './batch.ts';
import type { Catalogue, Series } from './catalogue.ts';
import { HistoryDatabase, isDamage } from './database.ts';
import type { Files } from './files.ts';
import { decodeFrame, type Frame } from './frame.ts';
import { PendingMinutes } from './pending.ts';
import type { Resolution, Span } from './query.ts';
import { trim } from './retention.ts';
import { addSample, type Buckets, GRIDS, HOUR_MS, MINUTE_MS, type Width } from './rollup.ts';
import { noteFrame, type Segment, SegmentLog } from './segment-log.ts';
import { SeqSet } from './seq-set.ts';
import type { RecorderSettings } from './settings.ts';

/** At most 10 s may be lost at a power cut; half a second is left for writing. */
export const SAVE_AFTER_MS = 9_500;
/** A batch of so many readings is saved at once. */
const MAX_BATCH = 20_000;
/** While nothing can be saved, so many readings wait in memory; later ones are dropped. */
export const MAX_UNSAVED = 100_000;
/** The hour is rolled up so long after it ended, when its last readings are saved. */
const ROLL_UP_DELAY_MS = 30_000;
/** Minutes that wait for the hour; a rebuild or a flood of late readings rolls up earlier. */
const MAX_PENDING = 200_000;
/** Unsaved for so long without a known failure, saving hangs. */
const HANGING_MS = 60_000;

export interface StoreOptions {
  directory: string;
  files: Files;
  clock: Clock;
  log: Logger;
  catalogue: Catalogue;
  settings(): RecorderSettings;
  onDropped(count: number): void;
}

/**
 * Where readings live: in memory for some seconds, then in the log, and once an hour rolled up into `history.db`.
 * The database says up to where in the log its roll-ups go; what is behind that is read again at start, so a crash loses no more than memory.
 */
export class Store {
  readonly #options: StoreOptions;
  readonly #log: SegmentLog;
  readonly #db: HistoryDatabase;
  /** Readings since the last save, and those that are being saved or wait for a full disk. */
  #open = new Batch();
  #saving: Batch | undefined;
  readonly #pending = new PendingMinutes();
  /** What the database does not know yet of segments and series. */
  #changedSegments = new Set<Segment>();
  #changedSeries = new Set<number>();
  /** Steps that write run one after the other. */
  #work: Promise<void> = Promise.resolve();
  #cancelSave: (() => void) | undefined;
  #cancelHourly: (() => void) | undefined;
  #unsavedSinceMs: number | undefined;
  #dropped = 0;
  #failing = false;
  #damaged = false;
  #running = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    const { files, directory, log } = options;
    this.#log = new SegmentLog({ files, directory: `${directory}/raw`, log });
    this.#db = new HistoryDatabase(`${directory}/history.db`);
  }

  /** Bytes on the card. */
  get bytes(): number {
    return this.#log.bytes + (this.#running && !this.#damaged ? this.#db.bytes : 0);
  }

  async start(): Promise<void> {
    try {
      this.#db.open();
      this.#loadCatalogue();
    } catch (error) {
      if (!isDamage(error)) throw new Problem('storage-failed', `history.db cannot be opened: ${String(error)}`, { cause: error });
      await this.#setDatabaseAside(error);
    }
    await this.#log.open(this.#db.position.startMs);
    const known = this.#db.segments();
    for (const segment of this.#log.segments) segment.known = known.get(segment.startMs);
    await this.#readLog();
    this.#running = true;
    await this.#trim();
    this.#armHourly();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelHourly?.();
    this.#cancelSave?.();
    await this.save();
    await this.#enqueue(() => this.#rollUp());
    await this.#log.close();
    this.#db.close();
  }

  check(): void {
    const since = this.#unsavedSinceMs;
    if (this.#failing || since === undefined) return;
    const waitedMs = this.#options.clock.monotonic() - since;
    if (waitedMs > HANGING_MS) throw new Problem('storage-failed', `readings have waited ${Math.round(waitedMs / 1000)} s to be saved`);
  }

  /** Takes a reading that is not there yet. False when there is no room, because the disk has been full for long. */
  add(series: Series, sample: Sample): boolean {
    if (this.#open.count + (this.#saving?.count ?? 0) >= MAX_UNSAVED) {
      this.#dropped++;
      this.#options.onDropped(1);
      return false;
    }
    this.#open.add(series.id, sample);
    series.unsaved.add(sample.seq);
    series.newestMs = Math.max(series.newestMs, sample.atMs);
    this.#unsavedSinceMs ??= this.#options.clock.monotonic();
    if (!this.#cancelSave) this.#armSave();
    if (this.#open.count === MAX_BATCH && !this.#failing) void this.save();
    return true;
  }

  /** Saves what is in memory now. */
  save(): Promise<void> {
    return this.#enqueue(() => this.#saveOpen());
  }

  /**
   * Readings of the span, segment by segment, in no strict order; `restFromMs` says that none of those still to come is older.
   * What is in memory comes first. Readings are seen once, whatever is saved meanwhile.
   */
  async *readings(series: readonly Series[], { fromMs, toMs }: Span): AsyncGenerator<{ samples: Sample[]; restFromMs: number }> {
    const ids = new Set(series.map(({ id }) => id));
    const isWanted = ({ known }: Segment) =>
      !known || (known.lastMs >= fromMs && known.firstMs <= toMs && [...ids].some((id) => known.series.has(id)));
    const inSpan = ({ atMs }: Sample) => atMs >= fromMs && atMs <= toMs;
    const unsaved = this.#unsaved(ids).filter(inSpan);
    const segments = this.#log.segments
      .filter(isWanted)
      .map((segment) => ({ segment, bytes: segment.bytes, firstMs: segment.known?.firstMs ?? Number.NEGATIVE_INFINITY }))
      .sort((a, b) => a.firstMs - b.firstMs);
    yield { samples: unsaved, restFromMs: segments[0]?.firstMs ?? Number.POSITIVE_INFINITY };
    for (const [i, { segment, bytes }] of segments.entries()) {
      const samples: Sample[] = [];
      for (const frame of await this.#log.frames(segment, 0, bytes)) {
        if (frame.lastMs < fromMs || frame.firstMs > toMs) continue;
        for (const columns of this.#decoded(frame, ids).columns.values()) {
          for (const sample of samplesOf(columns)) if (inSpan(sample)) samples.push(sample);
        }
      }
      yield { samples, restFromMs: segments[i + 1]?.firstMs ?? Number.POSITIVE_INFINITY };
    }
  }

  /** Buckets of a width or finer that touch the span: stored ones, those waiting for the hour, and what is in memory. */
  *buckets(series: readonly Series[], { fromMs, toMs }: Span, width: Width): Generator<Buckets> {
    for (const { id } of series) {
      if (!this.#damaged) {
        try {
          for (const [, buckets] of this.#db.buckets(width, id, fromMs, toMs)) yield buckets;
        } catch (error) {
          this.#noticeDamage(error);
        }
      }
      yield this.#pending.of(id, width);
      const unsaved: Buckets = new Map();
      for (const sample of this.#unsaved(new Set([id]))) addSample(unsaved, GRIDS[width], sample);
      yield unsaved;
    }
  }

  /** The finest resolution that is there for all that is known of the span, and when that begins. */
  reach(series: readonly Series[], { fromMs, toMs }: Span): { resolution: Resolution; fromMs: number } {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { id } of series)
      for (const startMs of this.#savedHours(id, { fromMs, toMs }))
        if (startMs >= GRIDS[HOUR_MS](fromMs)) firstMs = Math.min(firstMs, startMs);
    const isFrom = (oldestMs: number) => firstMs >= GRIDS[HOUR_MS](oldestMs);
    const rawFromMs = Math.min(...this.#log.segments.map(({ known, startMs }) => known?.firstMs ?? startMs));
    if (firstMs === Number.POSITIVE_INFINITY || isFrom(rawFromMs)) return { resolution: 'raw', fromMs };
    const hasMinutes = this.#damaged || isFrom(this.#db.oldestBlock(MINUTE_MS) ?? Number.POSITIVE_INFINITY);
    return { resolution: hasMinutes ? 'minute' : 'hour', fromMs: Math.max(fromMs, firstMs) };
  }

  /** When the hours begin of which something is on the card. */
  *#savedHours(id: number, { fromMs, toMs }: Span): Generator<number> {
    if (!this.#damaged) for (const [, buckets] of this.#db.buckets(HOUR_MS, id, fromMs, toMs)) yield* buckets.keys();
    yield* this.#pending.of(id, HOUR_MS).keys();
  }

  #unsaved(ids: ReadonlySet<number>): Sample[] {
    return [...ids].flatMap((id) => [...(this.#saving?.samples(id) ?? []), ...this.#open.samples(id)]);
  }

  #armSave(): void {
    this.#cancelSave = this.#options.clock.after(SAVE_AFTER_MS, () => void this.save());
  }

  #armHourly(): void {
    const { clock } = this.#options;
    const dueMs = HOUR_MS - ((clock.now() - ROLL_UP_DELAY_MS) % HOUR_MS);
    this.#cancelHourly = clock.after(dueMs, () => void this.#hourly());
  }

  async #hourly(): Promise<void> {
    if (!this.#running) return;
    this.#armHourly();
    await this.#enqueue(async () => {
      await this.#saveOpen();
      await this.#rollUp();
      await this.#trim();
    });
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(step).catch((error: unknown) => this.#noticeFailure(error));
    return this.#work;
  }

  /** A batch that could not be saved is tried again first. */
  async #saveOpen(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    try {
      if (this.#saving) await this.#saveBatch();
      if (this.#open.count > 0) await this.#saveBatch();
    } finally {
      if (this.#saving && this.#running && !this.#cancelSave) this.#armSave();
    }
    if (this.#pending.count > MAX_PENDING) await this.#rollUp();
  }

  async #saveBatch(): Promise<void> {
    const { catalogue, clock, log } = this.#options;
    if (!this.#saving) {
      this.#saving = this.#open;
      this.#open = new Batch();
    }
    const batch = this.#saving;
    await this.#log.append(batch, catalogue.names, clock.now(), () => {
      this.#saving = undefined;
      this.#unsavedSinceMs = this.#open.count > 0 ? clock.monotonic() : undefined;
      this.#absorb(batch.columns);
      const segment = this.#log.segments.at(-1);
      if (segment) this.#changedSegments.add(segment);
    });
    if (!this.#failing) return;
    this.#failing = false;
    log.info({ dropped: this.#dropped }, 'history is saved again');
    this.#dropped = 0;
  }

  #noticeFailure(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.log.error({ err: error }, 'history cannot be saved; readings wait in memory');
  }

  /** What is in the log counts as seen, and goes into the roll-ups. */
  #absorb(columns: ReadonlyMap<number, Columns>): void {
    for (const [id, each] of columns) {
      const series = this.#options.catalogue.byId(id);
      if (!series) continue;
      for (const seq of each.seqs) {
        series.seen.add(seq);
        series.unsaved.delete(seq);
      }
      for (const atMs of each.timesMs) series.newestMs = Math.max(series.newestMs, atMs);
      this.#pending.add(id, each);
      this.#changedSeries.add(id);
    }
  }

  #loadCatalogue(): void {
    for (const { id, address, newestMs, seen } of this.#db.series()) {
      const series = this.#options.catalogue.add(address, id);
      series.seen = new SeqSet(seen);
      series.newestMs = newestMs;
    }
  }

  /** Takes in what the log has and the database has not: nothing after an orderly stop, an hour after a crash, all after damage. */
  async #readLog(): Promise<void> {
    const { catalogue } = this.#options;
    const { startMs, offset } = this.#db.position;
    for (const segment of this.#log.segments) {
      if (segment.startMs < startMs) continue;
      for (const frame of await this.#log.frames(segment, segment.startMs === startMs ? offset : 0)) {
        const { names, columns } = this.#decoded(frame);
        for (const [id, address] of names) if (!catalogue.byId(id)) catalogue.add(address, id);
        noteFrame(segment, frame, columns.keys());
        this.#absorb(columns);
        this.#changedSegments.add(segment);
      }
      if (this.#pending.count > MAX_PENDING) this.#commit({ startMs: segment.startMs, offset: segment.bytes });
    }
    if (this.#pending.count > 0) this.#commit(this.#log.end);
  }

  /** A frame that is whole and still cannot be read, from another version perhaps, must not keep the others from being read. */
  #decoded(frame: Frame, ids?: ReadonlySet<number>): ReturnType<typeof decodeFrame> {
    try {
      return decodeFrame(frame, ids);
    } catch (error) {
      this.#options.log.warn({ err: error, offset: frame.offset }, 'passed over a frame of history that cannot be read');
      return { names: new Map(), columns: new Map() };
    }
  }

  async #rollUp(): Promise<void> {
    if (this.#damaged) await this.#rebuild();
    else if (this.#pending.count > 0) {
      try {
        this.#commit(this.#log.end);
      } catch (error) {
        if (!this.#noticeDamage(error)) throw error;
        await this.#rebuild();
      }
    }
  }

  #commit(position: { startMs: number; offset: number }): void {
    const { catalogue } = this.#options;
    const series = [...this.#changedSeries].flatMap((id) => {
      const found = catalogue.byId(id);
      return found ? [{ id, address: found.address, newestMs: found.newestMs, seen: found.seen.ranges }] : [];
    });
    this.#db.commit({ position, series, segments: this.#changedSegments, minutes: this.#pending.bySeries });
    this.#clearPending();
  }

  #clearPending(): void {
    this.#pending.clear();
    this.#changedSegments = new Set();
    this.#changedSeries = new Set();
  }

  #noticeDamage(error: unknown): boolean {
    if (!isDamage(error)) return false;
    if (!this.#damaged)
      this.#options.log.error({ err: error }, 'history.db is damaged; it is made anew from the raw readings within the hour');
    this.#damaged = true;
    return true;
  }

  async #rebuild(): Promise<void> {
    await this.#setDatabaseAside(undefined);
    this.#clearPending();
    await this.#readLog();
    for (const { id } of this.#options.catalogue.all) this.#changedSeries.add(id);
    this.#commit(this.#log.end);
    this.#damaged = false;
  }

  /** Keeps the damaged file for whoever wants to look, and begins an empty one. */
  async #setDatabaseAside(error: unknown): Promise<void> {
    const { directory, files, log } = this.#options;
    this.#db.close();
    const path = `${directory}/history.db`;
    await files.remove(`${path}-journal`);
    await files.rename(path, `${path}.damaged`);
    this.#db.open();
    log.error(
      { ...(error ? { err: error } : {}), kept: `${path}.damaged` },
      'history.db was damaged; roll-ups are made anew from the raw readings',
    );
  }

  async #trim(): Promise<void> {
    if (!this.#damaged) await trim(this.#log, this.#db, this.#options.settings(), this.#options.clock.now());
  }
}
