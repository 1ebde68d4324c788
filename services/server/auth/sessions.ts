import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type CallerRole, Problem, type Role, type Session, type SessionEntry, shown } from '@ledge/contract';
import type { Clock } from '@ledge/kit';

export const SESSION_COOKIE = 'ledge';
const SECRET_BYTES = 32;
/** The expiry slides, but is written at most this often: a page that polls must not wear the card. */
const RENEW_AFTER_MS = 60 * 60_000;
/** When and where it was last used is written at most this often, for the same reason. */
const SEEN_EVERY_MS = 10 * 60_000;
/** A session's id is the beginning of its key: it names it, and nothing of its secret can be told from it. */
const ID_LENGTH = 16;
const MAX_AGENT_LENGTH = 200;
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
/** The browser at the other end, as far as it says. */
export interface Client {
  address: string;
  agent: string;
}
const UNKNOWN_CLIENT: Client = { address: 'unknown', agent: '' };

interface ListRow extends Client {
  key: string;
  user: string;
  created: number;
  last_seen: number;
  expires: number;
}
interface Row {
  user: string;
  role: Role;
  renewed: number;
  last_seen: number;
  expires: number;
}

/** Signed-in browsers. Only a hash of each secret is kept. */
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
  open(user: string, { address, agent }: Client = UNKNOWN_CLIENT): { secret: string; expiresMs: number } {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const now = this.#clock.now();
    const expiresMs = now + this.#idleMs();
    this.#db.prepare('DELETE FROM sessions WHERE expires <= ?').run(now);
    this.#db
      .prepare('DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE user = ? ORDER BY renewed DESC LIMIT -1 OFFSET ?)')
      .run(user, MAX_PER_USER - 1);
    this.#db
      .prepare('INSERT INTO sessions (key, user, created, renewed, last_seen, expires, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(keyOf(secret), user, now, now, now, expiresMs, address, agent.slice(0, MAX_AGENT_LENGTH));
    return { secret, expiresMs };
  }

  /** @param address where it is used from now */
  find(secret: string, address = UNKNOWN_CLIENT.address): OpenSession | undefined {
    const key = keyOf(secret);
    const now = this.#clock.now();
    const row = this.#db
      .prepare(
        'SELECT users.name AS user, role, renewed, last_seen, expires FROM sessions JOIN users ON users.name = sessions.user WHERE key = ? AND expires > ?',
      )
      .get(key, now) as Row | undefined;
    if (!row) return undefined;
    const renewed = now - row.renewed >= RENEW_AFTER_MS;
    const expiresMs = renewed ? now + this.#idleMs() : row.expires;
    if (renewed || now - row.last_seen >= SEEN_EVERY_MS) {
      this.#db
        .prepare('UPDATE sessions SET renewed = ?, expires = ?, last_seen = ?, address = ? WHERE key = ?')
        .run(renewed ? now : row.renewed, expiresMs, now, address, key);
    }
    return { key, user: row.user, role: row.role, expiresMs, renewed };
  }

  /**
   * Sessions that are open now, the one used last first.
   * @param user whose; everybody's when undefined
   * @param currentKey of the session that asks, if it is one
   */
  list(user: string | undefined, currentKey?: string): SessionEntry[] {
    const rows = this.#db
      .prepare(
        `SELECT key, users.name AS user, created, last_seen, expires, address, agent FROM sessions JOIN users ON users.name = sessions.user
         WHERE expires > ? AND (? IS NULL OR user = ?) ORDER BY last_seen DESC, key`,
      )
      .all(this.#clock.now(), user ?? null, user ?? null) as unknown as ListRow[];
    return rows.map(({ key, user, created, last_seen, expires, address, agent }) => ({
      id: sessionId(key),
      user,
      created: time(created),
      lastSeen: time(last_seen),
      expires: time(expires),
      address,
      agent,
      current: key === currentKey,
    }));
  }

  /**
   * Ends a session by its id.
   * @param user whose it must be; anybody's when undefined
   * @throws Problem `not-found`
   */
  end(id: string, user: string | undefined): void {
    const { changes } = this.#db
      .prepare(`DELETE FROM sessions WHERE substr(key, 1, ${ID_LENGTH}) = ? AND (? IS NULL OR user = ?)`)
      .run(id, user ?? null, user ?? null);
    if (changes === 0) throw new Problem('not-found', `There is no session ${shown(id)}${user === undefined ? '' : ' of yours'}.`);
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

export const sessionId = (key: string) => key.slice(0, ID_LENGTH);
const time = (ms: number) => new Date(ms).toISOString();

export const sessionView = (user: string, role: CallerRole, expiresMs: number): Session => ({
  user,
  role,
  expires: time(expiresMs),
});
