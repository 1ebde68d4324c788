import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Problem } from '@ledge/contract';

/** OWASP Password Storage Cheat Sheet, "scrypt": N=2^15, r=8, p=1 needs 32 MiB for each hash in progress. */
const COST = { N: 2 ** 15, r: 8, p: 1 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const BYTES_PER_BLOCK = 128;

/** A hash takes 32 MiB and a core for a tenth of a second (a second on a small board): one at a time leaves the rest to others. */
const HASHES_AT_ONCE = 1;
const HASHES_WAITING = 32;
const RETRY_AFTER_S = 5;

interface StoredHash {
  N: number;
  r: number;
  p: number;
  salt: Buffer;
  key: Buffer;
}

const deriveKey = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Hashes and verifies passwords, a bounded number at once; more than can wait are refused with `too-many-tries`. */
export class PasswordHasher {
  readonly #waiting: (() => void)[] = [];
  readonly #cost: typeof COST;
  #running = 0;

  constructor(cost = COST) {
    this.#cost = cost;
  }

  /** @returns `scrypt$N$r$p$salt$key`, both in base64url: its parameters go with it, so that they can be raised later. */
  async hash(password: string): Promise<string> {
    const { N, r, p } = this.#cost;
    const salt = randomBytes(SALT_BYTES);
    const key = await this.#derive(password, { ...this.#cost, salt, key: Buffer.alloc(KEY_BYTES) });
    return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
  }

  async verify(password: string, stored: string): Promise<boolean> {
    const hash = parseHash(stored);
    return timingSafeEqual(await this.#derive(password, hash), hash.key);
  }

  /** Takes as long as {@link verify} and is never true: for names that nobody has. */
  async verifyNobody(password: string): Promise<false> {
    await this.#derive(password, { ...this.#cost, salt: Buffer.alloc(SALT_BYTES), key: Buffer.alloc(KEY_BYTES) });
    return false;
  }

  async #derive(password: string, { N, r, p, salt, key }: StoredHash): Promise<Buffer> {
    await this.#enter();
    try {
      return await deriveKey(password.normalize('NFKC'), salt, key.length, { N, r, p, maxmem: 2 * BYTES_PER_BLOCK * N * r });
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < HASHES_AT_ONCE) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= HASHES_WAITING) {
      throw new Problem('too-many-tries', 'Too many people sign in at this moment.', { retryAfterS: RETRY_AFTER_S });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}

/** Bounds for a hash that somebody else made: what guessing it costs at least, and what checking it costs this box at most. */
const LEAST_N = 2 ** 14;
const MOST_BYTES = 64 * 2 ** 20;
const MOST_P = 4;
const LEAST_SALT_BYTES = 8;

/** Is this a hash as {@link PasswordHasher.hash} makes them, with parameters that are safe and that this box can afford? */
export function isUsableHash(text: string): boolean {
  if (!/^scrypt\$[1-9]\d{0,7}\$[1-9]\d{0,3}\$[1-9]\d?\$[\w-]{11,128}\$[\w-]{43,86}$/.test(text)) return false;
  const { N, r, p, salt } = parseHash(text);
  const isPower = Number.isInteger(Math.log2(N));
  return isPower && N >= LEAST_N && BYTES_PER_BLOCK * N * r <= MOST_BYTES && p <= MOST_P && salt.length >= LEAST_SALT_BYTES;
}

function parseHash(stored: string): StoredHash {
  const [kind, N, r, p, salt, key] = stored.split('$');
  if (kind !== 'scrypt' || !salt || !key) throw new Problem('storage-failed', 'A stored password hash is damaged.');
  return { N: Number(N), r: Number(r), p: Number(p), salt: Buffer.from(salt, 'base64url'), key: Buffer.from(key, 'base64url') };
}
