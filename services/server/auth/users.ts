import type { DatabaseSync } from 'node:sqlite';
import { Problem, type Role } from '@ledge/contract';
import { checkPassword } from '@ledge/kit/password-rules.ts';
import { Facts } from './facts.ts';
import { isUsableHash, type PasswordHasher } from './passwords.ts';

export const ADMIN = 'admin';
const ADMIN_PASSWORD_FACT = 'admin-password-from-environment';
const FIRST_ADMIN_FACT = 'first-admin-taken';

export interface User {
  name: string;
  role: Role;
}
interface UserRow extends User {
  hash: string;
}

/** People who may sign in. Names differ by more than upper and lower case. */
export class Users {
  readonly #db: DatabaseSync;
  readonly #facts: Facts;
  readonly #hasher: PasswordHasher;
  /** What belongs to the box and so is no secret: its id and name. */
  readonly #boxNames: readonly string[];

  constructor(db: DatabaseSync, hasher: PasswordHasher, boxNames: readonly string[]) {
    this.#db = db;
    this.#facts = new Facts(db);
    this.#hasher = hasher;
    this.#boxNames = boxNames;
  }

  get setupNeeded(): boolean {
    return this.#admins() === 0;
  }

  list(): User[] {
    return this.#db.prepare('SELECT name, role FROM users ORDER BY name').all() as unknown as User[];
  }

  find(name: string): User | undefined {
    const row = this.#row(name);
    return row && { name: row.name, role: row.role };
  }

  /** Chooses the admin password, once. @throws Problem `setup-done`, `weak-password` */
  async setUp(password: string): Promise<User> {
    if (!this.setupNeeded) throw new Problem('setup-done', 'The admin password has been chosen already; sign in with it.');
    this.#check(password, ADMIN);
    const hash = await this.#hasher.hash(password);
    // hashing took a while: of two who set up at the same time, one wins
    const { changes } = this.#db
      .prepare("INSERT INTO users (name, role, hash) SELECT ?, 'admin', ? WHERE NOT EXISTS (SELECT 1 FROM users WHERE role = 'admin')")
      .run(ADMIN, hash);
    if (changes === 0) throw new Problem('setup-done', 'Somebody else chose the admin password a moment ago.');
    return { name: ADMIN, role: 'admin' };
  }

  /**
   * Takes the admin password from the environment: when there is none yet, and when the environment gives another one than last time
   * (which is how a lost password is replaced). A password changed by hand since then stays.
   * @returns whether it was taken over
   */
  async setUpFromEnvironment(password: string): Promise<boolean> {
    const last = this.#facts.get(ADMIN_PASSWORD_FACT);
    if (last !== undefined && !this.setupNeeded && (await this.#hasher.verify(password, last))) return false;
    checkPassword(password, [ADMIN, ...this.#boxNames], 'EDGE_ADMIN_PASSWORD');
    const hash = await this.#hasher.hash(password);
    this.#replaceAdmin(hash, ADMIN_PASSWORD_FACT, hash);
    return true;
  }

  /**
   * Gives the admin the password that the owner left on the box itself, or the hash of one: who can do that owns the box, so it wins
   * over whatever was chosen before, and ends the admin's sessions.
   * @param mark names this one wish, which is carried out once
   * @returns whether it was carried out now
   * @throws Problem `weak-password`, `invalid-value` for a hash that is none, or that costs too little or too much
   */
  async takeFirstAdmin(wanted: { password: string } | { hash: string }, mark: string): Promise<boolean> {
    if (this.#facts.get(FIRST_ADMIN_FACT) === mark) return false;
    if ('password' in wanted) this.#check(wanted.password, ADMIN);
    else if (!isUsableHash(wanted.hash))
      throw new Problem('invalid-value', 'hash is not one that can be used; scrypt$32768$8$1$salt$key is.');
    this.#replaceAdmin('hash' in wanted ? wanted.hash : await this.#hasher.hash(wanted.password), FIRST_ADMIN_FACT, mark);
    return true;
  }

  /** @returns the user when the password is right. Unknown names take as long as known ones. */
  async verify(name: string, password: string): Promise<User | undefined> {
    const row = this.#row(name);
    if (!row) return (await this.#hasher.verifyNobody(password)) || undefined;
    return (await this.#hasher.verify(password, row.hash)) ? { name: row.name, role: row.role } : undefined;
  }

  /** @throws Problem `weak-password` */
  async changePassword(name: string, wanted: string): Promise<void> {
    this.#check(wanted, name, 'new');
    this.#db.prepare('UPDATE users SET hash = ? WHERE name = ?').run(await this.#hasher.hash(wanted), name);
  }

  /**
   * Adds a person, or changes role or password of one.
   * @throws Problem `invalid-value` for a new person without a password, `weak-password`, `not-allowed` for the last admin's role
   */
  async save(name: string, role: Role, password: string | undefined): Promise<User> {
    if (password !== undefined) this.#check(password, name);
    const hash = password === undefined ? undefined : await this.#hasher.hash(password);
    const present = this.#row(name);
    if (!present && hash === undefined) {
      const message = 'password is missing; a new person needs one';
      throw new Problem('invalid-value', `${message}.`, { errors: [{ field: 'password', message }] });
    }
    if (present?.role === 'admin' && role !== 'admin') this.#keepAnAdmin(`${present.name} is the last admin and stays one.`);
    this.#upsert(present?.name ?? name, role, hash ?? present?.hash ?? '');
    return { name: present?.name ?? name, role };
  }

  /** Removes a person and, with them, their sessions. @throws Problem `not-found`, `not-allowed` */
  remove(name: string): void {
    const present = this.#row(name);
    if (!present) throw new Problem('not-found', `There is nobody called ${name}.`);
    if (present.role === 'admin') this.#keepAnAdmin(`${present.name} is the last admin and cannot be removed.`);
    this.#db.prepare('DELETE FROM users WHERE name = ?').run(name);
  }

  #keepAnAdmin(sentence: string): void {
    if (this.#admins() === 1) throw new Problem('not-allowed', sentence);
  }

  #admins(): number {
    return Number(this.#db.prepare("SELECT count(*) AS n FROM users WHERE role = 'admin'").get()?.n);
  }

  #row(name: string): UserRow | undefined {
    return this.#db.prepare('SELECT name, role, hash FROM users WHERE name = ?').get(name) as UserRow | undefined;
  }

  #upsert(name: string, role: Role, hash: string): void {
    this.#db
      .prepare(
        'INSERT INTO users (name, role, hash) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET role = excluded.role, hash = excluded.hash',
      )
      .run(name, role, hash);
  }

  #replaceAdmin(hash: string, fact: string, value: string): void {
    this.#inTransaction(() => {
      this.#upsert(ADMIN, 'admin', hash);
      this.#db.prepare('DELETE FROM sessions WHERE user = ?').run(ADMIN);
      this.#facts.set(fact, value);
    });
  }

  #check(password: string, name: string, field = 'password'): void {
    checkPassword(password, [name, ADMIN, ...this.#boxNames], field);
  }

  #inTransaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
