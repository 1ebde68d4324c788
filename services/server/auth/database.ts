import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Problem } from '@ledge/contract';

/** Each brings the file from the version that is its index to the next. What was released is never changed, only followed. */
const MIGRATIONS = [
  `
  CREATE TABLE users (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE sessions (
    key TEXT PRIMARY KEY,
    user TEXT NOT NULL COLLATE NOCASE REFERENCES users (name) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    renewed INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_user ON sessions (user);
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    last_used INTEGER
  ) STRICT;
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    user TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    status INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`,
  `
  ALTER TABLE sessions ADD COLUMN last_seen INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT 'unknown';
  ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
  UPDATE sessions SET last_seen = renewed;
  CREATE TABLE preferences (owner TEXT PRIMARY KEY COLLATE NOCASE, value TEXT NOT NULL) STRICT;
  CREATE TRIGGER user_forgotten AFTER DELETE ON users BEGIN DELETE FROM preferences WHERE owner = OLD.name; END;
  CREATE TRIGGER token_forgotten AFTER DELETE ON tokens WHEN NOT EXISTS (SELECT 1 FROM tokens WHERE name = OLD.name COLLATE NOCASE)
    BEGIN DELETE FROM preferences WHERE owner = 'token:' || OLD.name; END;
`,
];

/** Of this connection only; a role that changes ends what was opened with the old one. */
const ENDS = `
  CREATE TEMP TRIGGER session_ends AFTER DELETE ON main.sessions BEGIN SELECT grant_ends(OLD.key); END;
  CREATE TEMP TRIGGER token_ends AFTER DELETE ON main.tokens BEGIN SELECT grant_ends(OLD.id); END;
  CREATE TEMP TRIGGER role_ends AFTER UPDATE OF role ON main.users WHEN OLD.role <> NEW.role
    BEGIN SELECT grant_ends(key) FROM sessions WHERE user = NEW.name; END;
`;

/**
 * Tells each session and token that ends, whichever way: sign-out, revoked, another password, a person removed. The database
 * itself notices, so that no way can be forgotten.
 * @param ended told the key of the session or id of the token, once the change is made
 */
export function watchGrants(db: DatabaseSync, ended: (grant: string) => void): void {
  db.function('grant_ends', (grant) => {
    queueMicrotask(() => ended(String(grant)));
    return null;
  });
  db.exec(ENDS);
}

/**
 * Opens `settings.db`: people, sessions, tokens, audit. Only its owner reads it, and every commit is on the disk before it counts.
 * A damaged file stops the start: an empty one in its place would let anybody choose the admin password.
 * @param file path, or `:memory:`
 * @throws Problem `storage-failed`
 */
export function openSettingsDatabase(file: string): DatabaseSync {
  try {
    if (file !== ':memory:') {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      closeSync(openSync(file, 'a', 0o600));
      chmodSync(file, 0o600);
    }
    const db = new DatabaseSync(file);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000;');
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (version > MIGRATIONS.length) {
      db.close();
      throw new Error(`it has version ${version}, version ${MIGRATIONS.length} is wanted`);
    }
    const missing = MIGRATIONS.slice(version);
    if (missing.length > 0) db.exec(`BEGIN; ${missing.join('')} PRAGMA user_version = ${MIGRATIONS.length}; COMMIT;`);
    return db;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Problem(
      'storage-failed',
      `${file} cannot be used: ${why}. Put a backup in its place, or move it away to set the box up anew.`,
      {
        cause,
      },
    );
  }
}
