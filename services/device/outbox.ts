import { renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Problem, type PropertyAddress, type Value } from '@ledge/contract';

/** So many numbers are taken from the file at once. After a crash the count goes on behind them: none is used twice. */
export const SEQ_BLOCK = 1000;
const CACHE_KIB = 2048;
const JOURNAL_LIMIT_BYTES = 4 * 1024 * 1024;
const VACUUM_PAGES = 2000;

/** Numbers of one property: `next` is the next to use, `end` the first that the file has not set aside. */
export interface Sequence {
  readonly id: number;
  readonly address: PropertyAddress;
  next: number;
  end: number;
}

/** A reading that waits to be said. */
export interface Queued {
  sequence: Sequence;
  seq: number;
  timeMs: number;
  value: Value;
}
/** The same on disk, with its place in the queue. */
export interface Stored extends Queued {
  id: number;
}

/** SQLite's primary result codes SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED = new Set([11, 26]);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS origin (seq INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sequence (
    id INTEGER PRIMARY KEY, thing TEXT NOT NULL, node TEXT NOT NULL, property TEXT NOT NULL, next INTEGER NOT NULL,
    UNIQUE (thing, node, property)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS reading (id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, value ANY) STRICT;
`;

// numbers as themselves; true, false and text as JSON, so that what comes out is what went in
const toColumn = (value: Value) => (typeof value === 'number' ? value : JSON.stringify(value));
const fromColumn = (column: unknown): Value => (typeof column === 'string' ? JSON.parse(column) : Number(column));

const keyOf = ({ thing, node, property }: PropertyAddress) => `${thing}/${node}/${property}`;

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    // FULL: what was flushed survives a power cut, and a number that was set aside stays so
    database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB}; PRAGMA journal_size_limit = ${JOURNAL_LIMIT_BYTES};`);
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Readings that could not be said yet, in order, and the sequence numbers of all properties: one SQLite file.
 * The ids in the queue have no holes, so counting costs nothing. Every method may throw Problem `storage-failed`.
 */
export class Outbox {
  readonly #database: DatabaseSync;
  readonly #sequences = new Map<string, Sequence>();
  readonly #byId = new Map<number, Sequence>();
  readonly #origin: number;
  #first = 0;
  /** One behind the last. */
  #end = 0;

  private constructor(database: DatabaseSync, originSeq: number) {
    this.#database = database;
    this.#origin = originSeq;
  }

  /**
   * Opens the file, or makes it. One that is damaged is set aside beside it (`damaged` says where) and a new one begun,
   * whose numbers start at `nowMs`, the milliseconds since 1970: no honest sensor has counted so far, so none is used twice.
   * @throws whatever else keeps it from being opened, such as a full disk: what is in it is still good
   */
  static open(file: string, nowMs: number): { outbox: Outbox; damaged: string | undefined } {
    let damaged: string | undefined;
    let database: DatabaseSync;
    try {
      database = openDatabase(file);
      Outbox.#probe(database);
    } catch (error) {
      if (!DAMAGED.has(((error as { errcode?: number }).errcode ?? 0) & 0xff)) throw error;
      damaged = `${file}.damaged-${nowMs}`;
      renameSync(file, damaged);
      for (const suffix of ['-wal', '-shm']) {
        try {
          renameSync(`${file}${suffix}`, `${damaged}${suffix}`);
        } catch {
          // there was none
        }
      }
      database = openDatabase(file);
      database.prepare('INSERT INTO origin VALUES (?)').run(nowMs);
    }
    const origin = database.prepare('SELECT max(seq) AS seq FROM origin').get() as { seq: number | null };
    const outbox = new Outbox(database, origin.seq ?? 0);
    outbox.#load();
    return { outbox, damaged };
  }

  static #probe(database: DatabaseSync): void {
    database.prepare('SELECT min(id), max(id) FROM reading').get();
    database.prepare('SELECT count(*) FROM sequence').get();
  }

  #load(): void {
    for (const row of this.#database.prepare('SELECT id, thing, node, property, next FROM sequence').iterate()) {
      const { id, thing, node, property, next } = row as { id: number; thing: string; node: string; property: string; next: number };
      this.#keep({ id, address: { thing, node, property }, next, end: next });
    }
    const { low, high } = this.#database.prepare('SELECT min(id) AS low, max(id) AS high FROM reading').get() as {
      low: number | null;
      high: number | null;
    };
    this.#first = low ?? 0;
    this.#end = high === null ? this.#first : high + 1;
  }

  #keep(sequence: Sequence): Sequence {
    this.#sequences.set(keyOf(sequence.address), sequence);
    this.#byId.set(sequence.id, sequence);
    return sequence;
  }

  /** How many readings wait here. */
  get size(): number {
    return this.#end - this.#first;
  }

  /** The sequences of properties, each with numbers set aside, in one transaction. */
  sequences(addresses: readonly PropertyAddress[]): Sequence[] {
    const made = addresses.filter((address) => !this.#sequences.has(keyOf(address)));
    if (made.length > 0) {
      this.#transaction(() => {
        const insert = this.#database.prepare('INSERT INTO sequence (thing, node, property, next) VALUES (?, ?, ?, ?)');
        for (const address of made) {
          const { lastInsertRowid } = insert.run(address.thing, address.node, address.property, this.#origin);
          this.#keep({ id: Number(lastInsertRowid), address, next: this.#origin, end: this.#origin });
        }
      });
    }
    const sequences = addresses.map((address) => this.#sequences.get(keyOf(address))).filter((s) => s !== undefined);
    this.#setAside(sequences.filter((sequence) => sequence.next >= sequence.end));
    return sequences;
  }

  /** The next number of a property. Every {@link SEQ_BLOCK}th one costs a write, which then serves all that are short. */
  nextSeq(sequence: Sequence): number {
    if (sequence.next >= sequence.end) {
      this.#setAside([...this.#sequences.values()].filter((s) => s === sequence || (s.end > s.next && s.end - s.next < SEQ_BLOCK / 4)));
    }
    return sequence.next++;
  }

  #setAside(sequences: readonly Sequence[]): void {
    if (sequences.length === 0) return;
    this.#transaction(() => {
      const update = this.#database.prepare('UPDATE sequence SET next = ? WHERE id = ?');
      for (const { id, next, end } of sequences) update.run(Math.max(next, end) + SEQ_BLOCK, id);
    });
    for (const sequence of sequences) sequence.end = Math.max(sequence.next, sequence.end) + SEQ_BLOCK;
  }

  /** Puts readings behind all others. */
  append(readings: readonly Queued[]): void {
    this.#insert(readings, this.#end);
    this.#end += readings.length;
  }

  /** Puts readings before all others: they were on their way already when the connection broke. */
  prepend(readings: readonly Queued[]): void {
    const first = this.#first - readings.length;
    this.#insert(readings, first);
    this.#first = first;
  }

  #insert(readings: readonly Queued[], firstId: number): void {
    if (readings.length === 0) return;
    this.#transaction(() => {
      const insert = this.#database.prepare('INSERT INTO reading VALUES (?, ?, ?, ?, ?)');
      let id = firstId;
      for (const { sequence, seq, timeMs, value } of readings) insert.run(id++, sequence.id, seq, timeMs, toColumn(value));
    });
  }

  /** The oldest readings whose id is at least `fromId`, in order. */
  read(fromId: number, limit: number): Stored[] {
    return this.#guarded('read', () => {
      const rows = this.#database.prepare('SELECT id, sequence, seq, time, value FROM reading WHERE id >= ? ORDER BY id LIMIT ?');
      const stored: Stored[] = [];
      for (const row of rows.iterate(fromId, limit)) {
        const {
          id,
          sequence: sequenceId,
          seq,
          time,
          value,
        } = row as { id: number; sequence: number; seq: number; time: number; value: unknown };
        const sequence = this.#byId.get(sequenceId);
        if (sequence) stored.push({ id, sequence, seq, timeMs: time, value: fromColumn(value) });
      }
      return stored;
    });
  }

  /** Id of the oldest reading. */
  get firstId(): number {
    return this.#first;
  }

  /** Forgets all readings before this id. Returns how many there were. */
  removeBefore(id: number): number {
    const end = Math.min(id, this.#end);
    if (end <= this.#first) return 0;
    this.#transaction(() => void this.#database.prepare('DELETE FROM reading WHERE id < ?').run(end));
    const removed = end - this.#first;
    this.#first = end;
    return removed;
  }

  /** Drops the oldest readings until at most `max` are left. Returns how many were dropped. */
  limitTo(max: number): number {
    return this.size > max ? this.removeBefore(this.#end - max) : 0;
  }

  /** Gives some of the space that is free within the file back to the disk. Cheap when there is none. */
  shrink(): void {
    this.#guarded('shrunk', () => this.#database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`));
  }

  /** Gives back the numbers that were set aside and not used, so that an orderly stop leaves no hole, and closes the file. */
  close(): void {
    this.#transaction(() => {
      const update = this.#database.prepare('UPDATE sequence SET next = ? WHERE id = ?');
      for (const { id, next } of this.#sequences.values()) update.run(next, id);
    });
    this.#database.close();
  }

  #transaction(work: () => void): void {
    this.#guarded('written', () => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guarded<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new Problem('storage-failed', `the outbox could not be ${what}: ${(cause as Error).message}`, { cause });
    }
  }
}
