import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Role, Session } from '@ledge/contract';
import type { Clock } from '@ledge/kit';

export const SESSION_COOKIE = 'ledge';
const SECRET_BYTES = 32;
/** The expiry slides, but is written at most this often: a page that polls must not wear the card. */
const RENEW_AFTER_MS = 60 * 60_000;
/** Sessions of one person; the oldest end. */
const MAX_PER_USER = 50;

/** Only this is stored of a secret with 256 random bits; nothing slower is needed to hide it. */
export const keyOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');

export interface OpenSession {
  key: string;
  user: string;
  role: Role;
  expiresMs: number;
  /** The expiry has just moved: the browser needs its cookie again. */
  renewed: boolean;
}
interface Row {
  user: string;
  role: Role;
  renewed: number;
  expires: number;
}

export class Sessions {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #idleMs: () => number;

  /** @param idleMs a session ends when it was not used for so long */
  constructor(db: DatabaseSync, clock: Clock, idleMs: () => number) {
    this.#db = db;
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  /** @returns the secret for the cookie; it is known nowhere else. */
  open(user: string): { secret: string; expiresMs: number } {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const now = this.#clock.now();
    const expiresMs = now + this.#idleMs();
    this.#db.prepare('DELETE FROM sessions WHERE expires <= ?').run(now);
    this.#db
      .prepare('DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE user = ? ORDER BY renewed DESC LIMIT -1 OFFSET ?)')
      .run(user, MAX_PER_USER - 1);
    this.#db
      .prepare('INSERT INTO sessions (key, user, created, renewed, expires) VALUES (?, ?, ?, ?, ?)')
      .run(keyOf(secret), user, now, now, expiresMs);
    return { secret, expiresMs };
  }

  find(secret: string): OpenSession | undefined {
    const key = keyOf(secret);
    const now = this.#clock.now();
    const row = this.#db
      .prepare(
        'SELECT users.name AS user, role, renewed, expires FROM sessions JOIN users ON users.name = sessions.user WHERE key = ? AND expires > ?',
      )
      .get(key, now) as Row | undefined;
    if (!row) return undefined;
    const renewed = now - row.renewed >= RENEW_AFTER_MS;
    const expiresMs = renewed ? now + this.#idleMs() : row.expires;
    if (renewed) this.#db.prepare('UPDATE sessions SET renewed = ?, expires = ? WHERE key = ?').run(now, expiresMs, key);
    return { key, user: row.user, role: row.role, expiresMs, renewed };
  }

  close(key: string): void {
    this.#db.prepare('DELETE FROM sessions WHERE key = ?').run(key);
  }

  /** Ends every session of a person, but not the one given. */
  closeOthers(user: string, key = ''): void {
    this.#db.prepare('DELETE FROM sessions WHERE user = ? AND key <> ?').run(user, key);
  }

  /** RFC 6265bis. No `Secure`: the box is reached over plain HTTP in its own network. */
  cookie(secret: string, expiresMs: number): string {
    const maxAgeS = Math.max(0, Math.floor((expiresMs - this.#clock.now()) / 1000));
    return `${SESSION_COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}`;
  }
}

export const CLEARED_COOKIE = `${SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;

export const sessionView = (user: string, role: Role, expiresMs: number): Session => ({
  user,
  role,
  expires: new Date(expiresMs).toISOString(),
});
