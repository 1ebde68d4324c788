import type { DatabaseSync } from 'node:sqlite';
import { type Preferences, Problem } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import { AuditLog } from './audit.ts';
import { openSettingsDatabase, watchGrants } from './database.ts';
import { Facts } from './facts.ts';
import { type DisplayPass, Identifier } from './identify.ts';
import { PasswordHasher } from './passwords.ts';
import { PreferenceStore } from './preferences.ts';
import { Sessions } from './sessions.ts';
import { SignIn, type SignInPorts } from './sign-in.ts';
import { LoginThrottle } from './throttle.ts';
import { Tokens } from './tokens.ts';
import { Users } from './users.ts';

const DAY_MS = 24 * 60 * 60_000;

export interface AuthPorts {
  /** Path of `settings.db`. */
  file: string;
  clock: Clock;
  log: Logger;
  sessionDays(): number;
  /** The box's id and name. */
  boxNames: readonly string[];
  /** That of the box, for people who have chosen none. */
  language: Preferences['language'];
  display: DisplayPass;
  onRefused: SignInPorts['onRefused'];
  /** The session with this key, or the token with this id, is no more. */
  onEnded(grant: string): void;
}

/** Everything about who may: people, sessions, tokens, what they changed, and how they want the pages. */
export interface Auth {
  users: Users;
  sessions: Sessions;
  tokens: Tokens;
  preferences: PreferenceStore;
  facts: Facts;
  signIn: SignIn;
  identifier: Identifier;
  audit: AuditLog;
  /** Throws when the database cannot be read. */
  check(): void;
  close(): void;
}

/** Opens the database and puts the parts together. @throws Problem `storage-failed` */
export function openAuth({ file, clock, log, sessionDays, boxNames, language, display, onRefused, onEnded }: AuthPorts): Auth {
  const db = openSettingsDatabase(file);
  watchGrants(db, onEnded);
  const users = new Users(db, new PasswordHasher(), boxNames);
  const sessions = new Sessions(db, clock, () => sessionDays() * DAY_MS);
  const tokens = new Tokens(db, clock);
  const audit = new AuditLog(db, clock, log);
  audit.start();
  return {
    users,
    sessions,
    tokens,
    preferences: new PreferenceStore(db, language),
    facts: new Facts(db),
    signIn: new SignIn({ users, throttle: new LoginThrottle(clock), clock, onRefused }),
    identifier: new Identifier(sessions, tokens, display),
    audit,
    check: () => checkReadable(db),
    close() {
      audit.stop();
      db.close();
    },
  };
}

function checkReadable(db: DatabaseSync): void {
  try {
    db.prepare('SELECT count(*) FROM users').get();
  } catch (cause) {
    throw new Problem('storage-failed', 'settings.db cannot be read.', { cause });
  }
}
