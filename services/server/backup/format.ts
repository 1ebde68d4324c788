import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Transform } from 'node:stream';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Problem } from '@ledge/contract';
import { z } from 'zod';

/**
 * A backup file: one line that says what it is, one line of JSON (what it was made with, and a sum of itself), then a tar that is compressed with
 * zstd and, with a passphrase, sealed in chunks. Without one, `tail -n +3 FILE | zstd -d | tar x` opens it anywhere; its sum stands at the end, in a
 * frame that zstd passes over.
 */
const FORMAT = 1;
const MAGIC = 'ledge-backup';
/** Both lines fit. */
export const MAX_HEADER_BYTES = 1024;

/** OWASP's scrypt for 64 MiB: a backup can be tried on somebody else's machine for years. */
const COST = { n: 2 ** 16, r: 8, p: 2 } as const;
const KEY_BYTES = 32;
const CHECK_BYTES = 16;
export const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const SALT_BYTES = 16;

const encryptionSchema = z.strictObject({
  cipher: z.literal('aes-256-gcm'),
  // what a hostile file could ask for is bounded: 128 n r bytes
  n: z
    .int()
    .min(2)
    .max(2 ** 16),
  r: z.literal(8),
  p: z.int().min(1).max(4),
  salt: z.base64().max(64),
  /** The second half of what scrypt gave: tells a wrong passphrase from a damaged file, and nothing of the key. */
  check: z.base64().max(64),
});
const headerSchema = z.strictObject({ compression: z.literal('zstd'), encryption: encryptionSchema.nullable() });
type Encryption = z.output<typeof encryptionSchema>;

export interface Header {
  encryption: Encryption | null;
  /** Where the tar begins. */
  bytes: number;
  /** The header itself: what is sealed belongs to it. */
  sum: Buffer;
}
/** Opens or closes what follows one header. */
export interface Key {
  /** Undefined where there is no passphrase. */
  readonly secret: Buffer | undefined;
  readonly sum: Buffer;
}

const sumOf = (text: string) => createHash('sha256').update(text).digest();
const derive = (passphrase: string, salt: Buffer, { n, r, p }: { n: number; r: number; p: number }) =>
  new Promise<Buffer>((resolve, reject) =>
    // composed and decomposed letters are the same to people, and differ from one keyboard to another
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES + CHECK_BYTES, { N: n, r, p, maxmem: 256 * n * r }, (error, derived) =>
      error ? reject(error) : resolve(derived),
    ),
  );

/** Header of a new backup, and the key that seals it. */
export async function newHeader(
  passphrase: string | undefined,
  cost: { n: number; r: number; p: number } = COST,
): Promise<{ text: string; key: Key }> {
  if (passphrase === undefined) {
    const text = headerText(null);
    return { text, key: { secret: undefined, sum: sumOf(text) } };
  }
  const salt = randomBytes(SALT_BYTES);
  const derived = await derive(passphrase, salt, cost);
  const check = derived.subarray(KEY_BYTES).toString('base64');
  const text = headerText({ cipher: 'aes-256-gcm', n: cost.n, r: 8, p: cost.p, salt: salt.toString('base64'), check });
  return { text, key: { secret: derived.subarray(0, KEY_BYTES), sum: sumOf(text) } };
}

function headerText(encryption: Encryption | null): string {
  const text = `${MAGIC} ${FORMAT}\n${JSON.stringify({ compression: 'zstd', encryption })}`;
  return `${text} ${sumOf(text).toString('hex').slice(0, 16)}\n`;
}

/** @throws Problem `backup-unknown`, `backup-too-new`, `backup-damaged` */
export function readHeader(start: Buffer): Header {
  const [first = '', second = ''] = start.toString('latin1').split('\n', 2);
  const version = /^ledge-backup (\d{1,6})$/.exec(first)?.[1];
  if (version === undefined) throw new Problem('backup-unknown', 'This file is no backup of Ledge, or its beginning is damaged.');
  if (Number(version) > FORMAT)
    throw new Problem('backup-too-new', `The backup has format ${version}; this Ledge reads up to ${FORMAT}. Update it first.`);
  const [, json = '', sum] = /^(\{.*\}) ([0-9a-f]{16})$/.exec(second) ?? [];
  const damaged = (cause?: unknown) => new Problem('backup-damaged', 'The beginning of the backup is damaged.', { cause });
  if (sumOf(`${first}\n${json}`).toString('hex').slice(0, 16) !== sum) throw damaged();
  const text = `${first}\n${second}\n`;
  try {
    const { encryption } = headerSchema.parse(JSON.parse(json));
    return { encryption, bytes: Buffer.byteLength(text, 'latin1'), sum: sumOf(text) };
  } catch (cause) {
    throw damaged(cause);
  }
}

/** @throws Problem `backup-wrong-passphrase` */
export async function unlock({ encryption, sum }: Header, passphrase: string): Promise<Key> {
  if (!encryption) return { secret: undefined, sum };
  const derived = await derive(passphrase, Buffer.from(encryption.salt, 'base64'), encryption);
  const check = Buffer.from(encryption.check, 'base64');
  if (check.length !== CHECK_BYTES || !timingSafeEqual(check, derived.subarray(KEY_BYTES)))
    throw new Problem('backup-wrong-passphrase', 'The passphrase does not open this backup; upper and lower case count.');
  return { secret: derived.subarray(0, KEY_BYTES), sum };
}

/**
 * STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015), as age does it: the nonce is the number of the chunk and whether it is the last one, so that
 * none can be left out, moved or cut off. The key is of this file only, by its salt.
 */
function nonce(index: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(index, 5, 6);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Cuts a stream into pieces of `size`, and knows which is the last. */
function pieces(size: number, each: (piece: Buffer, index: number, isLast: boolean) => Buffer): Transform {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let index = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes <= size) return done();
      try {
        const all = Buffer.concat(held);
        let at = 0;
        // a full piece is only known not to be the last when something follows it
        for (; all.length - at > size; at += size) this.push(each(all.subarray(at, at + size), index++, false));
        held = [all.subarray(at)];
        heldBytes = all.length - at;
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        done(null, each(Buffer.concat(held), index, true));
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

const damaged = (cause?: unknown) => new Problem('backup-damaged', 'The backup is cut off, or has been changed.', { cause });

/** Seals what passes, or puts its sum behind it. */
export const closing = ({ secret, sum }: Key): Transform => {
  if (!secret) return summing(sum);
  return pieces(CHUNK_BYTES, (piece, index, isLast) => {
    const cipher = createCipheriv('aes-256-gcm', secret, nonce(index, isLast)).setAAD(sum);
    return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  });
};

/** The way back. Fails with Problem `backup-damaged`, of what is sealed before a changed byte has passed, else at the end. */
export const opening = ({ secret, sum }: Key): Transform => {
  if (!secret) return proving(sum);
  return pieces(CHUNK_BYTES + TAG_BYTES, (piece, index, isLast) => {
    if (piece.length < TAG_BYTES) throw damaged();
    const decipher = createDecipheriv('aes-256-gcm', secret, nonce(index, isLast), { authTagLength: TAG_BYTES }).setAAD(sum);
    decipher.setAuthTag(piece.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(piece.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw damaged(cause);
    }
  });
};

/** RFC 8878, 3.1.2: a skippable frame of 32 bytes. */
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0]);
const FRAME_BYTES = SKIPPABLE.length + 32;

function summing(sum: Buffer): Transform {
  const hash = createHash('sha256').update(sum);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush: (done) => done(null, Buffer.concat([SKIPPABLE, hash.digest()])),
  });
}

function proving(sum: Buffer): Transform {
  const hash = createHash('sha256').update(sum);
  let tail = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const all = Buffer.concat([tail, chunk]);
      const passed = all.subarray(0, Math.max(0, all.length - FRAME_BYTES));
      tail = all.subarray(passed.length);
      hash.update(passed);
      done(null, passed);
    },
    flush(done) {
      if (tail.equals(Buffer.concat([SKIPPABLE, hash.digest()]))) done();
      else done(damaged());
    },
  });
}

export const compressing = () =>
  createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } });
/** A frame may ask for a window of memory; ours need 2 MiB. */
export const decompressing = () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } });
