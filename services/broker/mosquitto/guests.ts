import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rulesOfService } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { type AccountSettings, SERVICE_PREFIX } from '../accounts.ts';
import { ServiceSecrets } from '../service-secrets.ts';
import type { Users } from '../users.ts';
import { hashOfSecret } from './password.ts';
import type { Account, Guests } from './security.ts';

/** Where no event tells of a new file, this does. */
const LOOK_EVERY_MS = 1000;

/** Who is to be let in: said anew whenever it is asked. */
export interface GuestBook {
  read(): Promise<Guests>;
  /** Calls once, and when files of secrets have changed, until the returned function is called. */
  watch(changed: () => void): () => void;
}

/** Services of this box, by their secrets, and users that people made. */
export class BoxGuestBook implements GuestBook {
  readonly #users: Users;
  readonly #secrets: ServiceSecrets;
  readonly #edge: string;
  readonly #settings: () => AccountSettings;
  readonly #clock: Clock;
  readonly #services = new Map<string, Account>();

  /** `secretsDir` holds one file per service with its password. */
  constructor(users: Users, secretsDir: string, edge: string, settings: () => AccountSettings, clock: Clock) {
    this.#users = users;
    this.#secrets = new ServiceSecrets(secretsDir);
    this.#edge = edge;
    this.#settings = settings;
    this.#clock = clock;
  }

  async read(): Promise<Guests> {
    const { allowAnonymous, anonymousRules } = this.#settings();
    const users = this.#users
      .forMosquitto()
      .flatMap(({ name, rules, hash }): Account[] =>
        hash ? [{ name, rules, hash, passwordId: Buffer.from(hash.salt).toString('base64') }] : [],
      );
    return { accounts: [...(await this.#readServices()), ...users], anonymous: allowAnonymous ? anonymousRules : [] };
  }

  async #readServices(): Promise<Account[]> {
    const names = await this.#secrets.names();
    const read = await Promise.all(names.map((name) => this.#readService(name)));
    return read.filter((account) => account !== undefined);
  }

  async #readService(service: string): Promise<Account | undefined> {
    const password = await this.#secrets.of(service);
    if (password === undefined) return undefined;
    const name = SERVICE_PREFIX + service;
    const passwordId = createHash('sha256').update(password).digest('base64');
    let account = this.#services.get(name);
    if (account?.passwordId !== passwordId) {
      account = { name, rules: rulesOfService(service, this.#edge), hash: hashOfSecret(password), passwordId, password };
      this.#services.set(name, account);
    }
    return account;
  }

  watch(changed: () => void): () => void {
    let seen: string | undefined;
    const look = async () => {
      const now = await this.#state();
      if (seen !== now) changed();
      seen = now;
    };
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(this.#secrets.dir, () => void look()).on('error', () => {});
    } catch {
      // the directory is not there yet, or its file system has no events
    }
    void look();
    const cancel = this.#clock.every(LOOK_EVERY_MS, () => void look());
    return () => {
      watcher?.close();
      cancel();
    };
  }

  async #state(): Promise<string> {
    const names = await this.#secrets.names();
    const times = await Promise.all(
      names.map((name) =>
        stat(join(this.#secrets.dir, name)).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      ),
    );
    return names.map((name, n) => `${name} ${times[n]}`).join('\n');
  }
}
