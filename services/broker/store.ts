import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Clock, Logger } from '@ledge/kit';
import type { Qos } from './frames.ts';
import { Message } from './message.ts';
import type { Outgoing } from './session.ts';

/** What the store knows of a session that outlives its connection. */
export interface StoredSession {
  id: string;
  leftMs: number;
  subscriptions: Map<string, Qos>;
  outgoing: Outgoing[];
  incoming: number[];
}
export interface StoredWill {
  clientId: string;
  brokerId: string;
  topic: string;
  payload: Buffer;
  qos: Qos;
  retain: boolean;
}
export interface Contents {
  retained: Message[];
  sessions: StoredSession[];
  wills: StoredWill[];
}

export interface StoreSettings {
  /** A retained topic that changes often is written once in this time. */
  retainedWriteIntervalS: number;
  /** Messages for sessions are written when they have waited this long. */
  queueWriteDelayMs: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS retained (topic TEXT PRIMARY KEY, payload BLOB NOT NULL, qos INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, left_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS subscription (client TEXT NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL,
    PRIMARY KEY (client, filter)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS outgoing (seq INTEGER PRIMARY KEY, client TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, packet INTEGER NOT NULL, received INTEGER NOT NULL, retain INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS outgoing_client ON outgoing (client);
  CREATE TABLE IF NOT EXISTS incoming (client TEXT NOT NULL, packet INTEGER NOT NULL, PRIMARY KEY (client, packet)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS will (client TEXT PRIMARY KEY, broker TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL) WITHOUT ROWID;
`;

const INSERT_RETAINED = 'INSERT OR REPLACE INTO retained VALUES (?, ?, ?)';
const DELETE_RETAINED = 'DELETE FROM retained WHERE topic = ?';
const INSERT_OUTGOING =
  'INSERT OR REPLACE INTO outgoing (client, seq, topic, payload, qos, packet, received, retain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';

/** Writes that come within this time share a transaction. */
const GROUP_MS = 2;
const RETRY_MS = 10_000;

interface Write {
  dueMs: number;
  sql: string;
  values: readonly SQLInputValue[];
}

const buffer = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value) : Buffer.alloc(0));

/**
 * Retained messages, sessions and wills on disk. Everything is served from memory; the disk gets what changed, in groups, without
 * a sync of its own (WAL, `synchronous=NORMAL`): it survives the end of this process at any point, and a power cut as far as the system
 * has written back. What changes all the time is written seldom, so that a card is not worn out by values that are said again anyway.
 */
export class Store {
  readonly #file: string;
  readonly #settings: () => StoreSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  #db: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #writes = new Map<string, Write>();
  readonly #retainedWrittenMs = new Map<string, number>();
  readonly #outgoingWritten = new Set<number>();
  #seq = 0;
  #wake: { dueMs: number; cancel(): void } | undefined;
  #flushed: { promise: Promise<void>; resolve(): void } | undefined;
  #failing = false;
  /** Rows written since the start, for the curious and for tests. */
  rowsWritten = 0;

  constructor(file: string, settings: () => StoreSettings, clock: Clock, log: Logger) {
    this.#file = file;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  /** Opens the store and reads all of it. A damaged one is moved aside; when there is no disk to write to, memory must do. Never throws. */
  open(): Contents {
    try {
      return this.#openFile(this.#file);
    } catch (error) {
      this.#db?.close();
      const aside = this.#moveAside();
      this.#log.error({ err: error, aside }, 'the store of sessions and retained messages cannot be read; it was moved aside');
    }
    try {
      return this.#openFile(this.#file);
    } catch (error) {
      this.#db?.close();
      this.#log.error({ err: error, file: this.#file }, 'no store can be made; sessions and retained messages are kept in memory only');
      return this.#openFile(':memory:');
    }
  }

  #moveAside(): string | undefined {
    const stamp = new Date(this.#clock.now()).toISOString().replaceAll(/[-:.]/g, '');
    let moved: string | undefined;
    for (const suffix of ['', '-wal', '-shm']) {
      if (!existsSync(this.#file + suffix)) continue;
      try {
        renameSync(this.#file + suffix, `${this.#file}.damaged-${stamp}${suffix}`);
        moved = `${this.#file}.damaged-${stamp}`;
      } catch (error) {
        this.#log.error({ err: error, file: this.#file + suffix }, 'the damaged store cannot be moved');
      }
    }
    return moved;
  }

  #openFile(file: string): Contents {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const db = new DatabaseSync(file);
    this.#db = db;
    this.#statements.clear();
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const check = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (check.quick_check !== 'ok') throw new Error(check.quick_check);
    db.exec(SCHEMA);
    return this.#read(db);
  }

  #read(db: DatabaseSync): Contents {
    const retained = db
      .prepare('SELECT topic, payload, qos FROM retained')
      .all()
      .map((row) => new Message(String(row.topic), buffer(row.payload), Number(row.qos) as Qos, true, true));
    const sessions = new Map<string, StoredSession>();
    for (const row of db.prepare('SELECT id, left_ms FROM session').all()) {
      const id = String(row.id);
      sessions.set(id, { id, leftMs: Number(row.left_ms), subscriptions: new Map(), outgoing: [], incoming: [] });
    }
    for (const row of db.prepare('SELECT client, filter, qos FROM subscription').all()) {
      sessions.get(String(row.client))?.subscriptions.set(String(row.filter), Number(row.qos) as Qos);
    }
    for (const row of db.prepare('SELECT * FROM outgoing ORDER BY seq').all()) {
      const seq = Number(row.seq);
      const qos = Number(row.qos) as 1 | 2;
      const message = new Message(String(row.topic), buffer(row.payload), qos, false, true);
      const outgoing: Outgoing = { seq, message, qos, id: Number(row.packet), received: row.received === 1, retain: row.retain === 1 };
      sessions.get(String(row.client))?.outgoing.push(outgoing);
      this.#outgoingWritten.add(seq);
      this.#seq = seq;
    }
    for (const row of db.prepare('SELECT client, packet FROM incoming').all()) {
      sessions.get(String(row.client))?.incoming.push(Number(row.packet));
    }
    const wills = db
      .prepare('SELECT * FROM will')
      .all()
      .map((row) => ({
        clientId: String(row.client),
        brokerId: String(row.broker),
        topic: String(row.topic),
        payload: buffer(row.payload),
        qos: Number(row.qos) as Qos,
        retain: row.retain === 1,
      }));
    return { retained, sessions: [...sessions.values()], wills };
  }

  /** Writes a retained message. True when that happens at once and {@link written} can be awaited. */
  retain(message: Message): boolean {
    const nowMs = this.#clock.monotonic();
    const writtenMs = this.#retainedWrittenMs.get(message.topic) ?? Number.NEGATIVE_INFINITY;
    const dueMs = Math.max(nowMs, writtenMs + this.#settings().retainedWriteIntervalS * 1000);
    this.#write(`retained ${message.topic}`, dueMs, INSERT_RETAINED, [message.topic, message.payload, message.qos]);
    return dueMs === nowMs;
  }
  /** Removes a retained message; that happens at once, so it is true always. */
  forgetRetained(topic: string): true {
    this.#write(`retained ${topic}`, this.#clock.monotonic(), DELETE_RETAINED, [topic]);
    return true;
  }

  session(id: string, leftMs: number): void {
    this.#write(`session ${id}`, this.#clock.monotonic(), 'INSERT OR REPLACE INTO session VALUES (?, ?)', [id, Math.round(leftMs)]);
  }

  /** Removes a session and everything of it, with its messages. */
  forget(id: string, messages: Iterable<Outgoing>): void {
    const nowMs = this.#clock.monotonic();
    for (const { seq } of messages) {
      this.#writes.delete(`outgoing ${seq}`);
      this.#outgoingWritten.delete(seq);
    }
    for (const [key, write] of this.#writes) {
      if (write.values[0] === id && (key.startsWith('subscription ') || key.startsWith('incoming '))) this.#writes.delete(key);
    }
    this.#write(`session ${id}`, nowMs, 'DELETE FROM session WHERE id = ?', [id]);
    for (const table of ['subscription', 'outgoing', 'incoming']) {
      this.#write(`${table} of ${id}`, nowMs, `DELETE FROM ${table} WHERE client = ?`, [id]);
    }
  }

  subscribe(id: string, filter: string, qos: Qos): void {
    const sql = 'INSERT OR REPLACE INTO subscription VALUES (?, ?, ?)';
    this.#write(`subscription ${id}\0${filter}`, this.#clock.monotonic(), sql, [id, filter, qos]);
  }
  unsubscribe(id: string, filter: string): void {
    const sql = 'DELETE FROM subscription WHERE client = ? AND filter = ?';
    this.#write(`subscription ${id}\0${filter}`, this.#clock.monotonic(), sql, [id, filter]);
  }

  /** Writes a message of a session, unless it is {@link done} before its delay is over. True when that happens at once. */
  outgoing(id: string, outgoing: Outgoing): boolean {
    if (outgoing.seq === 0) {
      this.#seq += 1;
      outgoing.seq = this.#seq;
    }
    const { seq, message, qos } = outgoing;
    const delayMs = this.#settings().queueWriteDelayMs;
    const values = [id, seq, message.topic, message.payload, qos, outgoing.id, outgoing.received ? 1 : 0, outgoing.retain ? 1 : 0];
    this.#write(`outgoing ${seq}`, this.#clock.monotonic() + delayMs, INSERT_OUTGOING, values);
    return delayMs === 0;
  }

  done(outgoing: Outgoing): void {
    const key = `outgoing ${outgoing.seq}`;
    if (!this.#outgoingWritten.delete(outgoing.seq)) {
      this.#writes.delete(key);
      return;
    }
    const dueMs = this.#clock.monotonic() + this.#settings().queueWriteDelayMs;
    this.#write(key, dueMs, 'DELETE FROM outgoing WHERE seq = ?', [outgoing.seq]);
  }

  incoming(id: string, packet: number): void {
    this.#write(`incoming ${id} ${packet}`, this.#clock.monotonic(), 'INSERT OR REPLACE INTO incoming VALUES (?, ?)', [id, packet]);
  }
  incomingDone(id: string, packet: number): void {
    const sql = 'DELETE FROM incoming WHERE client = ? AND packet = ?';
    this.#write(`incoming ${id} ${packet}`, this.#clock.monotonic(), sql, [id, packet]);
  }

  will(will: StoredWill): void {
    const values = [will.clientId, will.brokerId, will.topic, will.payload, will.qos, will.retain ? 1 : 0];
    this.#write(`will ${will.clientId}`, this.#clock.monotonic(), 'INSERT OR REPLACE INTO will VALUES (?, ?, ?, ?, ?, ?)', values);
  }
  willDone(id: string): void {
    this.#write(`will ${id}`, this.#clock.monotonic(), 'DELETE FROM will WHERE client = ?', [id]);
  }

  /** Resolves when everything that is due now has been written. */
  written(): Promise<void> {
    if (!this.#wake) return Promise.resolve();
    this.#flushed ??= Promise.withResolvers<void>();
    return this.#flushed.promise;
  }

  #write(key: string, dueMs: number, sql: string, values: readonly SQLInputValue[]): void {
    const waiting = this.#writes.get(key);
    this.#writes.delete(key); // the order of writes is the order of the last changes
    this.#writes.set(key, { dueMs: waiting ? Math.min(waiting.dueMs, dueMs) : dueMs, sql, values });
    this.#arm(dueMs);
  }

  #arm(dueMs: number): void {
    if (!this.#db) return;
    const atMs = Math.max(dueMs, this.#clock.monotonic() + (this.#failing ? RETRY_MS : GROUP_MS));
    if (this.#wake && this.#wake.dueMs <= atMs) return;
    this.#disarm();
    const cancel = this.#clock.after(atMs - this.#clock.monotonic(), () => {
      this.#wake = undefined;
      this.#flush(this.#clock.monotonic());
    });
    this.#wake = { dueMs: atMs, cancel };
  }

  #disarm(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
  }

  #flush(untilMs: number): void {
    const due = [...this.#writes].filter(([, write]) => write.dueMs <= untilMs);
    if (due.length > 0) this.#commit(due);
    this.#flushed?.resolve();
    this.#flushed = undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#writes.values()) nextMs = Math.min(nextMs, dueMs);
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
  }

  #commit(due: readonly [string, Write][]): void {
    const db = this.#db;
    if (!db) return;
    try {
      db.exec('BEGIN');
      for (const [, write] of due) this.#statement(db, write.sql).run(...write.values);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      if (!this.#failing) this.#log.error({ err: error, waiting: this.#writes.size }, 'sessions and retained messages cannot be written');
      this.#failing = true;
      return;
    }
    if (this.#failing) this.#log.info('sessions and retained messages are written again');
    this.#failing = false;
    this.rowsWritten += due.length;
    for (const [key, write] of due) {
      this.#writes.delete(key);
      if (write.sql === INSERT_OUTGOING) this.#outgoingWritten.add(Number(write.values[1]));
      else if (write.sql === INSERT_RETAINED) this.#retainedWrittenMs.set(String(write.values[0]), this.#clock.monotonic());
      else if (write.sql === DELETE_RETAINED) this.#retainedWrittenMs.delete(String(write.values[0]));
    }
  }

  #statement(db: DatabaseSync, sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Writes everything that waits, whenever it was due, and closes. */
  close(): void {
    const db = this.#db;
    if (!db) return;
    this.#flush(Number.POSITIVE_INFINITY);
    this.#disarm();
    this.#db = undefined;
    db.close();
  }
}
