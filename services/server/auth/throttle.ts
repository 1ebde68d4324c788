import { isIPv6 } from 'node:net';
import { Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';

/** Typing errors that cost nothing. */
export const FREE_TRIES = 5;
const FIRST_LOCK_MS = 2_000;
export const LONGEST_LOCK_MS = 15 * 60_000;
/** After so long without a try, a name and address start afresh. */
const FORGET_AFTER_MS = 60 * 60_000;
/** Pairs of name and address that are remembered; the oldest go first. */
const MAX_REMEMBERED = 10_000;
/** A sign-in takes a tenth of a second: nobody honest needs more at once. */
const AT_ONCE_PER_ADDRESS = 4;

/** Wrong tries of everybody together drain away at this rate; what stands above the free ones slows strangers down. */
const DRAINED_PER_S = 0.5;
const FREE_TRIES_TOGETHER = 20;
const SLOWER_PER_TRY_MS = 100;
const SLOWEST_MS = 5_000;

interface Tries {
  wrong: number;
  lastMs: number;
  lockedUntilMs: number;
  /** This name has signed in from this address before: the crowd's tries do not slow it. */
  known: boolean;
}

/** One try to sign in: it counts as wrong until it is said to be right, so that tries at the same time cannot slip past. */
export interface Try {
  /** Ask the caller to wait so long before the password is checked. */
  readonly delayMs: number;
  right(): void;
  /** @returns seconds for which this name is now locked at this address; 0 for none. */
  wrong(): number;
  /** The password was never checked. */
  withdrawn(): void;
}

/**
 * Slows guessing down, per name and address and for all together. Only the pair of name and address is ever locked: whoever
 * tries wrong passwords elsewhere cannot keep the owner out.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #pairs = new Map<string, Tries>();
  readonly #running = new Map<string, number>();
  #together = 0;
  #drainedAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws Problem `too-many-tries` with the seconds to wait. */
  begin(name: string, address: string): Try {
    const now = this.#clock.monotonic();
    const from = networkOf(address);
    const running = this.#running.get(from) ?? 0;
    if (running >= AT_ONCE_PER_ADDRESS) {
      throw new Problem('too-many-tries', `${AT_ONCE_PER_ADDRESS} tries from ${address} are being checked already.`, { retryAfterS: 1 });
    }
    const pair = `${name.toLowerCase()}\n${from}`;
    const tries = this.#remembered(pair, now);
    if (now < tries.lockedUntilMs) {
      const retryAfterS = Math.ceil((tries.lockedUntilMs - now) / 1000);
      throw new Problem('too-many-tries', `${name} is locked at ${address} for ${retryAfterS} s after ${tries.wrong} wrong tries.`, {
        retryAfterS,
      });
    }
    tries.wrong++;
    tries.lastMs = now;
    tries.lockedUntilMs = now + lockMs(tries.wrong);
    this.#running.set(from, running + 1);
    const delayMs = tries.known ? 0 : this.#slowedMs(now);
    let open = true;
    const end = () => {
      if (!open) return false;
      open = false;
      const left = (this.#running.get(from) ?? 1) - 1;
      if (left === 0) this.#running.delete(from);
      else this.#running.set(from, left);
      return true;
    };
    return {
      delayMs,
      right: () => {
        if (end()) Object.assign(tries, { wrong: 0, lockedUntilMs: 0, known: true });
      },
      wrong: () => {
        if (end()) this.#together++;
        return Math.ceil(lockMs(tries.wrong) / 1000);
      },
      withdrawn: () => {
        if (!end()) return;
        tries.wrong = Math.max(0, tries.wrong - 1);
        tries.lockedUntilMs = 0;
      },
    };
  }

  /** Pairs held in memory now. */
  get remembered(): number {
    return this.#pairs.size;
  }

  #remembered(pair: string, now: number): Tries {
    const present = this.#pairs.get(pair);
    this.#pairs.delete(pair); // put back below: the order of the map is the order of use
    const fresh = present === undefined || now - present.lastMs > FORGET_AFTER_MS;
    const tries = fresh ? { wrong: 0, lastMs: now, lockedUntilMs: 0, known: present?.known ?? false } : present;
    this.#pairs.set(pair, tries);
    const oldest = this.#pairs.keys().next();
    if (this.#pairs.size > MAX_REMEMBERED && !oldest.done) this.#pairs.delete(oldest.value);
    return tries;
  }

  #slowedMs(now: number): number {
    const drained = ((now - this.#drainedAtMs) / 1000) * DRAINED_PER_S;
    this.#together = Math.max(0, this.#together - drained);
    this.#drainedAtMs = now;
    return Math.min(SLOWEST_MS, Math.max(0, this.#together - FREE_TRIES_TOGETHER) * SLOWER_PER_TRY_MS);
  }
}

const lockMs = (wrong: number) => (wrong < FREE_TRIES ? 0 : Math.min(LONGEST_LOCK_MS, FIRST_LOCK_MS * 2 ** (wrong - FREE_TRIES)));

/** An IPv6 host has a whole /64 of addresses (RFC 4291, 2.5.4): they count as one. IPv4 in IPv6 counts as IPv4. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((g) => Number.parseInt(g, 16).toString(16))
    .join(':')}::/64`;
}
