import { Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { LoginThrottle } from './throttle.ts';
import type { User, Users } from './users.ts';

/** Tries that wait to be slowed down; more are refused, so that waiting costs no memory to speak of. */
const MAX_SLOWED = 64;

export interface SignInPorts {
  users: Users;
  throttle: LoginThrottle;
  clock: Clock;
  onRefused(name: string, address: string, lockedForS: number): void;
}

/** Checks a name and a password, as slowly as the throttle wants it. */
export class SignIn {
  readonly #ports: SignInPorts;
  #slowed = 0;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
  }

  /** @throws Problem `setup-needed`, `too-many-tries`, `wrong-password` */
  async check(name: string, password: string, address: string): Promise<User> {
    const { users, throttle, onRefused } = this.#ports;
    if (users.setupNeeded) throw new Problem('setup-needed', 'There is no admin password yet; choose one first.');
    const attempt = throttle.begin(name, address);
    try {
      await this.#slowDown(attempt.delayMs);
      const user = await users.verify(name, password);
      if (user) {
        attempt.right();
        return user;
      }
    } catch (error) {
      attempt.withdrawn();
      throw error;
    }
    const lockedForS = attempt.wrong();
    onRefused(name, address, lockedForS);
    const next = lockedForS > 0 ? ` Try again in ${lockedForS} s.` : '';
    throw new Problem('wrong-password', `Name or password is wrong.${next}`, lockedForS > 0 ? { retryAfterS: lockedForS } : {});
  }

  async #slowDown(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    if (this.#slowed >= MAX_SLOWED) {
      throw new Problem('too-many-tries', 'Very many people try to sign in.', { retryAfterS: Math.ceil(delayMs / 1000) });
    }
    this.#slowed++;
    try {
      await this.#ports.clock.sleep(delayMs);
    } finally {
      this.#slowed--;
    }
  }
}
