import { DatabaseSync } from 'node:sqlite';
import type { PropertyAddress } from '@ledge/contract';
import { addBuckets, BLOCK_MS, type Buckets, decodeBlock, encodeBlock, GRIDS, grid, WIDTHS, type Width } from './rollup.ts';
import type { LogPosition, Segment } from './segment-log.ts';
import type { SeqRange } from './seq-set.ts';

/**
 * Clustered by time, so that an hour's blocks are neighbours: they are written once an hour and read by the span.
 * A rollback journal, not a WAL: blocks are mostly new pages, which a journal writes once and a WAL twice.
 */
const SCHEMA = `
  PRAGMA page_size = 4096;
  PRAGMA journal_mode = TRUNCATE;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, thing TEXT, node TEXT, property TEXT, newest_ms REAL, seen TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS segment (start_ms INTEGER PRIMARY KEY, first_ms INTEGER, last_ms INTEGER, series TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS position (only INTEGER PRIMARY KEY CHECK (only = 0), start_ms INTEGER, offset INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS block (width_ms INTEGER, start_ms INTEGER, series INTEGER, data BLOB,
    PRIMARY KEY (width_ms, start_ms, series)) STRICT, WITHOUT ROWID;
`;

export interface StoredSeries {
  id: number;
  address: PropertyAddress;
  newestMs: number;
  seen: readonly SeqRange[];
}

/** What an hour adds. All of it or nothing is kept. */
export interface Commit {
  /** Up to here the log is in the blocks. */
  position: LogPosition;
  series: Iterable<StoredSeries>;
  segments: Iterable<Segment>;
  /** Minutes to add to the blocks, by series. */
  minutes: ReadonlyMap<number, Buckets>;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, in the low byte of the extended codes. */
const DAMAGE_CODES = new Set([11, 26]);

export const isDamage = (error: unknown) =>
  DAMAGE_CODES.has(((error as { errcode?: number }).errcode ?? 0) & 0xff) || error instanceof SyntaxError || error instanceof RangeError;

/** `history.db`: catalogue, roll-ups, and up to where the raw log is in them. */
export class HistoryDatabase {
  readonly #path: string;
  #db: DatabaseSync | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  open(): void {
    this.#db = new DatabaseSync(this.#path);
    this.#db.exec(SCHEMA);
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  /** Bytes in use; pages that were given back are not counted. */
  get bytes(): number {
    const value = (pragma: string) => Number(Object.values(this.#open.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0);
    return (value('page_count') - value('freelist_count')) * value('page_size');
  }

  get position(): LogPosition {
    const row = this.#open.prepare('SELECT start_ms, offset FROM position').get();
    return { startMs: Number(row?.start_ms ?? 0), offset: Number(row?.offset ?? 0) };
  }

  series(): StoredSeries[] {
    const rows = this.#open.prepare('SELECT id, thing, node, property, newest_ms, seen FROM series ORDER BY id').all();
    return rows.map((row) => ({
      id: Number(row.id),
      address: { thing: String(row.thing), node: String(row.node), property: String(row.property) },
      newestMs: Number(row.newest_ms),
      seen: JSON.parse(String(row.seen)) as SeqRange[],
    }));
  }

  segments(): Map<number, NonNullable<Segment['known']>> {
    const rows = this.#open.prepare('SELECT start_ms, first_ms, last_ms, series FROM segment').all();
    return new Map(
      rows.map((row) => [
        Number(row.start_ms),
        { firstMs: Number(row.first_ms), lastMs: Number(row.last_ms), series: new Set(JSON.parse(String(row.series)) as number[]) },
      ]),
    );
  }

  /** Stored buckets of a series whose blocks touch `fromMs` to `toMs`. */
  *buckets(width: Width, series: number, fromMs: number, toMs: number): Generator<[startMs: number, bucket: Buckets]> {
    const find = this.#open.prepare('SELECT start_ms, data FROM block WHERE width_ms = ? AND start_ms BETWEEN ? AND ? AND series = ?');
    for (const row of find.iterate(width, grid(BLOCK_MS[width])(fromMs), toMs, series)) {
      const startMs = Number(row.start_ms);
      yield [startMs, decodeBlock(row.data as Uint8Array, width, startMs)];
    }
  }

  commit({ position, series, segments, minutes }: Commit): void {
    this.#transaction((db) => {
      const putSeries = db.prepare('INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)');
      for (const { id, address, newestMs, seen } of series) {
        putSeries.run(id, address.thing, address.node, address.property, newestMs, JSON.stringify(seen));
      }
      const putSegment = db.prepare('INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?)');
      for (const { startMs, known } of segments) {
        if (known) putSegment.run(startMs, known.firstMs, known.lastMs, JSON.stringify([...known.series]));
      }
      for (const width of WIDTHS) this.#mergeBlocks(db, width, minutes);
      db.prepare('INSERT OR REPLACE INTO position VALUES (0, ?, ?)').run(position.startMs, position.offset);
    });
  }

  /** Removes blocks of a width that end before `beforeMs`, and what is remembered of segments that are gone. */
  removeOld(width: Width, beforeMs: number): void {
    this.#open.prepare('DELETE FROM block WHERE width_ms = ? AND start_ms <= ?').run(width, beforeMs - BLOCK_MS[width]);
  }

  forgetSegmentsBefore(startMs: number): void {
    this.#open.prepare('DELETE FROM segment WHERE start_ms < ?').run(startMs);
  }

  /** When the oldest block of a width begins. */
  oldestBlock(width: Width): number | undefined {
    const startMs = this.#open.prepare('SELECT min(start_ms) AS start_ms FROM block WHERE width_ms = ?').get(width)?.start_ms;
    return typeof startMs === 'number' ? startMs : undefined;
  }

  #mergeBlocks(db: DatabaseSync, width: Width, minutes: ReadonlyMap<number, Buckets>): void {
    const get = db.prepare('SELECT data FROM block WHERE width_ms = ? AND start_ms = ? AND series = ?');
    const put = db.prepare('INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?)');
    const blockOf = grid(BLOCK_MS[width]);
    const blocks = [...minutes].flatMap(([series, buckets]) =>
      [...Map.groupBy(buckets, ([startMs]) => blockOf(startMs))].map(([startMs, entries]) => ({ series, startMs, entries })),
    );
    // in the order of the key, so that a page is touched once
    blocks.sort((a, b) => a.startMs - b.startMs || a.series - b.series);
    for (const { series, startMs, entries } of blocks) {
      const row = get.get(width, startMs, series);
      const merged: Buckets = row ? decodeBlock(row.data as Uint8Array, width, startMs) : new Map();
      addBuckets(merged, GRIDS[width], entries);
      put.run(width, startMs, series, encodeBlock(merged, width, startMs));
    }
  }

  get #open(): DatabaseSync {
    if (!this.#db) throw new Error('history.db is not open');
    return this.#db;
  }

  #transaction(work: (db: DatabaseSync) => void): void {
    const db = this.#open;
    db.exec('BEGIN IMMEDIATE');
    try {
      work(db);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}
