import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Problem, type Role, type tokenSchema } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { z } from 'zod';
import { keyOf } from './sessions.ts';

/** So that a secret scanner, and a person, sees what it is. */
export const TOKEN_PREFIX = 'ldg_';
const SECRET_BYTES = 32;
const ID_BYTES = 8;
const DAY_MS = 24 * 60 * 60_000;
const LAST_USED_AT_MOST_EVERY_MS = 60_000;

type TokenView = z.infer<typeof tokenSchema>;
interface Row {
  id: string;
  name: string;
  role: Role;
  created: number;
  expires: number;
  last_used: number | null;
}

/** API tokens for programs: a role and an expiry, the secret known only to its holder. */
export class Tokens {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  add(name: string, role: Role, expiresInDays: number): TokenView & { token: string } {
    const token = `${TOKEN_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const created = this.#clock.now();
    const row: Row = {
      id: randomBytes(ID_BYTES).toString('hex'),
      name,
      role,
      created,
      expires: created + expiresInDays * DAY_MS,
      last_used: null,
    };
    this.#db
      .prepare('INSERT INTO tokens (id, key, name, role, created, expires) VALUES (?, ?, ?, ?, ?, ?)')
      .run(row.id, keyOf(token), name, role, created, row.expires);
    return { ...view(row), token };
  }

  list(): TokenView[] {
    const rows = this.#db.prepare('SELECT id, name, role, created, expires, last_used FROM tokens ORDER BY created, id').all();
    return (rows as unknown as Row[]).map(view);
  }

  remove(id: string): void {
    const { changes } = this.#db.prepare('DELETE FROM tokens WHERE id = ?').run(id);
    if (changes === 0) throw new Problem('not-found', `There is no token ${id}.`);
  }

  /** Who holds this token, or undefined when it is unknown or expired. */
  find(token: string): { id: string; name: string; role: Role; expiresMs: number } | undefined {
    if (!token.startsWith(TOKEN_PREFIX)) return undefined;
    const now = this.#clock.now();
    const row = this.#db
      .prepare('SELECT id, name, role, created, expires, last_used FROM tokens WHERE key = ? AND expires > ?')
      .get(keyOf(token), now) as Row | undefined;
    if (!row) return undefined;
    if (row.last_used === null || now - row.last_used >= LAST_USED_AT_MOST_EVERY_MS) {
      this.#db.prepare('UPDATE tokens SET last_used = ? WHERE id = ?').run(now, row.id);
    }
    return { id: row.id, name: row.name, role: row.role, expiresMs: row.expires };
  }
}

const time = (ms: number) => new Date(ms).toISOString();
const view = ({ id, name, role, created, expires, last_used }: Row): TokenView => ({
  id,
  name,
  role,
  created: time(created),
  expires: time(expires),
  lastUsed: last_used === null ? null : time(last_used),
});
