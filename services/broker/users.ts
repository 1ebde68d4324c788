import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { type AccessRule, accessRuleSchema, type BrokerUser, Problem, parse } from '@ledge/contract';
import { z } from 'zod';
import type { BrokerSettings } from './config.ts';
import { hashForMosquitto, type MosquittoHash } from './mosquitto/password.ts';
import { Rights } from './rights.ts';

/** scrypt, OWASP's second choice: 32 MiB and about 100 ms on a PC. Stored with each hash, so that it can rise later. */
const COST = { n: 2 ** 15, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** 128·N·r bytes are needed; Node asks for a limit above that. */
const memoryFor = (n: number, r: number) => 256 * n * r;
/** Hashes that are computed at a time: each takes a core and 32 MiB. */
const AT_A_TIME = 2;
const WAITING_MOST = 100;

const rulesSchema = z.array(accessRuleSchema);

interface Hash {
  salt: Uint8Array;
  hash: Uint8Array;
  n: number;
  r: number;
  p: number;
}
/** A password, hashed for us and for mosquitto, which cannot check ours; passwords from before this have only ours. */
interface Secret extends Hash {
  mosquitto: MosquittoHash | undefined;
}
interface Account {
  rights: Rights;
  /** Undefined until a password was set: nobody gets in. */
  secret: Secret | undefined;
  /** Keyed digest of the password that was right last time, so that many reconnecting clients do not cost a hash each. */
  known: Buffer | undefined;
}

/** A table of its own, which an older Ledge leaves alone; `beside` is the salt of ours, so that it does not outlive the password. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS user (
  name TEXT PRIMARY KEY, rules TEXT NOT NULL, salt BLOB, hash BLOB, n INTEGER, r INTEGER, p INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mosquitto_hash (
  name TEXT PRIMARY KEY, beside BLOB NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL, iterations INTEGER NOT NULL
) WITHOUT ROWID`;
const ALL_USERS = `SELECT user.*, m.salt AS mosquitto_salt, m.hash AS mosquitto_hash, m.iterations
FROM user LEFT JOIN mosquitto_hash AS m ON m.name = user.name AND m.beside = user.salt`;

function derive(password: Buffer, { salt, n, r, p }: Omit<Hash, 'hash'>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { N: n, r, p, maxmem: memoryFor(n, r) }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** The users that people make, with their hashed passwords and rules, in a SQLite file that is written through at once. */
export class Users {
  readonly #file: string;
  readonly #engine: BrokerSettings['engine'];
  #db: DatabaseSync | undefined;
  readonly #accounts = new Map<string, Account>();
  readonly #cacheKey = randomBytes(32);
  readonly #dummy: Hash = { salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES), ...COST };
  #computing = 0;
  readonly #turns: (() => void)[] = [];

  /** `engine` is who checks passwords. */
  constructor(file: string, engine: BrokerSettings['engine'] = 'aedes') {
    this.#file = file;
    this.#engine = engine;
  }

  /** @throws Problem `storage-failed`: without its users the broker must not run, and must not forget them. */
  open(): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      this.#db = new DatabaseSync(this.#file);
      this.#db.exec(`PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; ${SCHEMA}`);
      for (const row of this.#db.prepare(ALL_USERS).all()) {
        this.#accounts.set(String(row.name), {
          rights: new Rights(parse(rulesSchema, JSON.parse(String(row.rules)), 'storage-failed', `rules of ${row.name}`)),
          secret: secretOf(row),
          known: undefined,
        });
      }
    } catch (error) {
      this.close();
      throw new Problem('storage-failed', `the users cannot be read from ${this.#file}`, { cause: error });
    }
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  list(): BrokerUser[] {
    return [...this.#accounts.keys()].sort().map((name) => this.#told(name));
  }

  #told(name: string): BrokerUser {
    const { rights, secret } = this.#accounts.get(name) ?? {};
    const checkable = this.#engine === 'mosquitto' ? secret?.mosquitto : secret;
    return { name, rules: [...(rights?.rules ?? [])], ...(checkable ? {} : { needsPassword: true as const }) };
  }

  /** All users with what mosquitto compares their password with; undefined when it was set before there was such a hash, or never. */
  forMosquitto(): { name: string; rules: readonly AccessRule[]; hash: MosquittoHash | undefined }[] {
    return [...this.#accounts].map(([name, { rights, secret }]) => ({ name, rules: rights.rules, hash: secret?.mosquitto }));
  }

  /** Adds or changes a user; what is left out stays. Its rules count from now on. Resolves when it is on disk. */
  async put(name: string, changes: { password?: string | undefined; rules?: readonly AccessRule[] | undefined }): Promise<BrokerUser> {
    let secret = this.#accounts.get(name)?.secret;
    if (changes.password !== undefined) {
      const salted = { salt: randomBytes(SALT_BYTES), ...COST };
      const password = Buffer.from(changes.password);
      const [hash, mosquitto] = await this.#inTurn(() => Promise.all([derive(password, salted), hashForMosquitto(password)]));
      secret = { ...salted, hash, mosquitto };
    }
    const account = this.#accounts.get(name) ?? { rights: new Rights([]), secret: undefined, known: undefined };
    const rules = changes.rules ?? account.rights.rules;
    this.#save(name, rules, secret);
    account.secret = secret;
    account.known = undefined;
    if (changes.rules) account.rights.rules = changes.rules;
    this.#accounts.set(name, account);
    return this.#told(name);
  }

  #save(name: string, rules: readonly AccessRule[], secret: Secret | undefined): void {
    const { salt = null, hash = null, n = null, r = null, p = null, mosquitto } = secret ?? {};
    this.#writing(name, (db) => {
      db.prepare('INSERT OR REPLACE INTO user VALUES (?, ?, ?, ?, ?, ?, ?)').run(name, JSON.stringify(rules), salt, hash, n, r, p);
      if (!mosquitto) return;
      db.prepare('INSERT OR REPLACE INTO mosquitto_hash VALUES (?, ?, ?, ?, ?)').run(
        name,
        salt,
        mosquitto.salt,
        mosquitto.hash,
        mosquitto.iterations,
      );
    });
  }

  #writing(name: string, write: (db: DatabaseSync) => void): void {
    try {
      if (!this.#db) throw new Error('the file is not open');
      this.#db.exec('BEGIN');
      write(this.#db);
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db?.isTransaction) this.#db.exec('ROLLBACK');
      throw new Problem('storage-failed', `the user ${name} cannot be written to ${this.#file}`, { cause: error });
    }
  }

  /** False when there is no such user. Connections that still hold its rights may do nothing more. */
  remove(name: string): boolean {
    const account = this.#accounts.get(name);
    if (!account) return false;
    this.#writing(name, (db) => {
      for (const table of ['user', 'mosquitto_hash']) db.prepare(`DELETE FROM ${table} WHERE name = ?`).run(name);
    });
    account.rights.rules = [];
    this.#accounts.delete(name);
    return true;
  }

  /** Is this the password that was right last time? Costs nothing; undefined says that {@link verify} must be asked. */
  recall(name: string, password: Buffer): Rights | undefined {
    const account = this.#accounts.get(name);
    if (!account?.known || !timingSafeEqual(account.known, this.#digest(name, password))) return undefined;
    return account.rights;
  }

  /** Compares with the stored hash. An unknown name takes as long as a wrong password. @throws Problem `too-many-tries` when too many wait. */
  async verify(name: string, password: Buffer): Promise<Rights | undefined> {
    const secret = this.#accounts.get(name)?.secret;
    const against = secret ?? this.#dummy;
    // of many clients that come at once with one password, only the first has to compute
    const derived = await this.#inTurn(async () => (this.recall(name, password) ? against.hash : derive(password, against)));
    const account = this.#accounts.get(name);
    // changed or removed meanwhile: what was compared counts no more
    if (!secret || !account || account.secret !== secret) return undefined;
    if (!timingSafeEqual(derived, secret.hash)) return undefined;
    account.known = this.#digest(name, password);
    return account.rights;
  }

  #digest(name: string, password: Buffer): Buffer {
    return createHmac('sha256', this.#cacheKey).update(`${name}\0`).update(password).digest();
  }

  async #inTurn<T>(compute: () => Promise<T>): Promise<T> {
    if (this.#computing >= AT_A_TIME) {
      if (this.#turns.length >= WAITING_MOST) throw new Problem('too-many-tries', `${WAITING_MOST} passwords are being checked already`);
      await new Promise<void>((resolve) => this.#turns.push(resolve));
    } else this.#computing += 1;
    try {
      return await compute();
    } finally {
      const next = this.#turns.shift();
      if (next) next();
      else this.#computing -= 1;
    }
  }
}

function secretOf(row: Record<string, SQLOutputValue>): Secret | undefined {
  const { salt, hash, n, r, p, mosquitto_salt, mosquitto_hash, iterations } = row;
  if (!(salt instanceof Uint8Array && hash instanceof Uint8Array)) return undefined;
  const mosquitto =
    mosquitto_salt instanceof Uint8Array && mosquitto_hash instanceof Uint8Array
      ? { salt: mosquitto_salt, hash: mosquitto_hash, iterations: Number(iterations) }
      : undefined;
  return { salt, hash, n: Number(n), r: Number(r), p: Number(p), mosquitto };
}
