import { pbkdf2, pbkdf2Sync, randomBytes } from 'node:crypto';

/**
 * What mosquitto compares a password with: PBKDF2 with SHA-512, the only kind that it knows. Salt and hash have the sizes that its
 * dynamic-security plugin wants.
 */
export interface MosquittoHash {
  salt: Uint8Array;
  hash: Uint8Array;
  iterations: number;
}

/** mosquitto computes it in its only thread, at each CONNECT: 20 ms on a PC, about 100 ms on the slowest board. */
const ITERATIONS = 20_000;
const SALT_BYTES = 12;
const HASH_BYTES = 64;

/** For passwords that people choose. */
export function hashForMosquitto(password: Buffer): Promise<MosquittoHash> {
  const salt = randomBytes(SALT_BYTES);
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, ITERATIONS, HASH_BYTES, 'sha512', (error, hash) =>
      error ? reject(error) : resolve({ salt, hash, iterations: ITERATIONS }),
    );
  });
}

/** For passwords of 32 random bytes, which nobody can guess from any hash: one iteration, so that services cost mosquitto nothing. */
export function hashOfSecret(password: string): MosquittoHash {
  const salt = randomBytes(SALT_BYTES);
  return { salt, hash: pbkdf2Sync(password, salt, 1, HASH_BYTES, 'sha512'), iterations: 1 };
}
