import { join } from 'node:path';
import type { AccessRule } from '@ledge/contract';
import { systemClock } from '@ledge/kit';
import { EVERYTHING, type MakeStand, silent } from '../test-support.ts';
import { readCertificate } from '../tls.ts';
import { MosquittoEngine } from './engine-mosquitto.ts';
import type { GuestBook } from './guests.ts';
import { hashOfSecret } from './password.ts';
import type { Account } from './security.ts';

/** Guests that a test lets in, all with the same rules unless it says otherwise. */
export class TestGuestBook implements GuestBook {
  rules: readonly AccessRule[] = EVERYTHING;
  readonly rulesOf: Record<string, readonly AccessRule[]> = {};
  passwords: Record<string, string> = { u: 'p' };
  readonly #hashes = new Map<string, ReturnType<typeof hashOfSecret>>();

  async read() {
    return { accounts: Object.entries(this.passwords).map((entry) => this.#account(...entry)), anonymous: this.rules };
  }

  #account(name: string, password: string): Account {
    const passwordId = `${name} ${password}`;
    const hash = this.#hashes.get(passwordId) ?? hashOfSecret(password);
    this.#hashes.set(passwordId, hash);
    return { name, rules: this.rulesOf[name] ?? this.rules, hash, passwordId, password };
  }

  watch() {
    return () => {};
  }
}

export const mosquittoStand: MakeStand = (...place) => standOf(new TestGuestBook())(...place);

export const standOf =
  (guests: TestGuestBook): MakeStand =>
  (dir, settings, host) => {
    settings().allowAnonymous = true;
    const certificate = () => readCertificate(settings(), dir, 'ledge-test', systemClock, silent);
    const ports = { clock: systemClock, random: Math.random, log: silent };
    const engine = new MosquittoEngine({ dir: join(dir, 'mosquitto'), settings, certificate, guests, host, ports, sysIntervalS: 1 });
    return {
      engine,
      async setRules(rules) {
        guests.rules = rules;
        await engine.apply();
      },
      async admitOnly(user, password) {
        guests.passwords = { [user]: password };
        settings().allowAnonymous = false;
        await engine.apply();
      },
      async addUser(name, password) {
        guests.passwords[name] = password;
        await engine.apply();
      },
      async remove(name) {
        delete guests.passwords[name];
        return engine.userChanged({ name, kind: 'removed' });
      },
    };
  };
