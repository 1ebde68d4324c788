import type { DatabaseSync } from 'node:sqlite';
import { Problem } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';

export const MAX_AUDIT_ENTRIES = 10_000;
/** Entries are committed together: one sync for a slider that is dragged, not one for each step. */
const WRITE_EVERY_MS = 1_000;
const MAX_WAITING = 1_000;
/** Requests of nobody that were refused, written down in each minute; the others are counted. A flood must not wear the card. */
const STRANGERS_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_TEXT = 200;
/** More rows than allowed are tolerated up to here, so that not every write deletes. */
const TRIM_EVERY = 100;
export const NOBODY = '-';

export interface AuditEntry {
  /** Who: a user, `token:<name>`, or `-` for somebody who is not signed in. */
  user: string;
  address: string;
  action: string;
  detail: string;
  status: number;
}
interface Row extends AuditEntry {
  id: number;
  time: number;
}

/** What a handler adds to the entry of its request, in `response.locals.audit`: who it turned out to be, and what was meant. */
export interface AuditNote {
  user?: string;
  detail?: string;
  /** It changes nothing that anybody would want to look up, and comes every few seconds. */
  routine?: boolean;
}

/** Who changed what: the newest {@link MAX_AUDIT_ENTRIES} changes asked for, with their outcome. */
export class AuditLog {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #log: Logger;
  #waiting: (AuditEntry & { time: number })[] = [];
  #stopWriting: (() => void) | undefined;
  #strangers = 0;
  #minuteStartedMs = 0;
  #sinceTrim = TRIM_EVERY;
  #broken = false;

  constructor(db: DatabaseSync, clock: Clock, log: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#stopWriting = this.#clock.every(WRITE_EVERY_MS, () => this.flush());
  }

  stop(): void {
    this.#stopWriting?.();
    this.flush();
  }

  add(entry: AuditEntry): void {
    if (entry.user === NOBODY && !this.#roomForStranger()) return;
    const { user, address, action, detail, status } = entry;
    const [u, a, d] = [user, action, detail].map((text) => text.slice(0, MAX_TEXT)) as [string, string, string];
    this.#waiting.push({ time: this.#clock.now(), user: u, address, action: a, detail: d, status });
    if (this.#waiting.length >= MAX_WAITING) this.flush();
  }

  flush(): void {
    const entries = this.#waiting;
    if (entries.length === 0) return;
    this.#waiting = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const insert = this.#db.prepare('INSERT INTO audit (time, user, address, action, detail, status) VALUES (?, ?, ?, ?, ?, ?)');
      for (const e of entries) insert.run(e.time, e.user, e.address, e.action, e.detail, e.status);
      this.#trim(entries.length);
      this.#db.exec('COMMIT');
      this.#broken = false;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      if (!this.#broken) this.#log.error({ err: error, entries: entries.length }, 'audit entries could not be written');
      this.#broken = true;
    }
  }

  /** Newest first. @throws Problem `invalid-value` for a cursor that is none of ours */
  page(limit: number, cursor: string | undefined): { items: (AuditEntry & { time: string })[]; cursor?: string } {
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
      throw new Problem('invalid-value', `cursor is ${JSON.stringify(cursor)}; the cursor of the page before is wanted`);
    }
    this.flush();
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    const rows = this.#db
      .prepare('SELECT id, time, user, address, action, detail, status FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?')
      .all(before, limit + 1) as unknown as Row[];
    const items = rows.slice(0, limit).map(({ id: _, time, ...entry }) => ({ ...entry, time: new Date(time).toISOString() }));
    const last = rows[limit - 1];
    return rows.length > limit && last ? { items, cursor: String(last.id) } : { items };
  }

  #trim(added: number): void {
    this.#sinceTrim += added;
    if (this.#sinceTrim < TRIM_EVERY) return;
    this.#sinceTrim = 0;
    this.#db.prepare('DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?').run(MAX_AUDIT_ENTRIES);
  }

  #roomForStranger(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#minuteStartedMs >= MINUTE_MS) {
      const unwritten = this.#strangers - STRANGERS_PER_MINUTE;
      if (unwritten > 0) this.#log.warn({ unwritten }, 'requests of strangers were left out of the audit log');
      this.#minuteStartedMs = now;
      this.#strangers = 0;
    }
    return ++this.#strangers <= STRANGERS_PER_MINUTE;
  }
}
