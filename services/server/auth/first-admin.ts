import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { Problem } from '@ledge/contract';
import { type Logger, writeFileAtomic } from '@ledge/kit';
import { z } from 'zod';
import { type AuditLog, NOBODY } from './audit.ts';
import { ADMIN, type Users } from './users.ts';

const MAX_BYTES = 4096;
const wantedSchema = z.union([z.strictObject({ password: z.string().min(1) }), z.strictObject({ hash: z.string() })]);

export interface FirstAdminPorts {
  /** Where the password or its hash was left. */
  file: string;
  /** Where a file that cannot be used is kept, for the owner to look at. */
  aside: string;
  users: Users;
  audit: AuditLog;
  log: Logger;
}

/**
 * Takes the admin password that the owner wrote to the card (README of `system/provision`), once, and wipes it where it was left.
 * A file that cannot be used is told and set aside: the box starts all the same. No word of it reaches the log.
 * @throws Problem `storage-failed` when the database fails
 */
export async function takeFirstAdmin({ file, aside, users, audit, log }: FirstAdminPorts): Promise<void> {
  const left = readLeft(file, log);
  if (!left) return;
  const note = (detail: string, status: number) => audit.add({ user: NOBODY, address: NOBODY, action: 'first-admin', detail, status });
  try {
    if (await users.takeFirstAdmin(wantedOf(left.text), left.mark)) {
      log.info({ user: ADMIN }, 'the admin password was taken from the configuration on the card; the sessions of before are ended');
      note('password of admin taken from the configuration on the card', 200);
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    log.error({ reason: error.message, aside }, 'the admin password in the configuration on the card cannot be used');
    note('password of admin in the configuration on the card refused', error.status);
    keepAside(aside, left.text, log);
  }
  wipe(file, log);
}

function wantedOf(text: string): z.output<typeof wantedSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('invalid-value', 'it is not JSON'); // the error itself would say the password
  }
  const wanted = wantedSchema.safeParse(value);
  if (!wanted.success) throw new Problem('invalid-value', '{"password": "…"} or {"hash": "scrypt$…"} is wanted');
  return wanted.data;
}

/** The text, and what tells this wish from an earlier one; undefined when nothing was left. */
function readLeft(file: string, log: Logger): { text: string; mark: string } | undefined {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.error({ err: error }, 'the admin password left on the box cannot be read');
    return undefined;
  }
  try {
    const { ino, mtimeMs, size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, MAX_BYTES));
    const text = bytes.toString('utf8', 0, readSync(handle, bytes, 0, bytes.length, 0)).trim();
    return text === '' ? undefined : { text, mark: `${ino}:${mtimeMs}:${size}` };
  } finally {
    closeSync(handle);
  }
}

function keepAside(aside: string, text: string, log: Logger): void {
  try {
    writeFileAtomic(aside, `${text}\n`, 0o600);
  } catch (error) {
    log.warn({ err: error }, 'it could not be set aside');
  }
}

/** Overwrites, then removes it. Where the folder does not allow that (on the card the file was laid there for the import) it stays, empty. */
function wipe(file: string, log: Logger): void {
  try {
    const handle = openSync(file, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
    try {
      writeSync(handle, Buffer.alloc(fstatSync(handle).size, ' '), 0, undefined, 0);
      fsyncSync(handle);
      ftruncateSync(handle);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    log.warn({ err: error }, 'the admin password left on the box could not be wiped');
  }
  try {
    unlinkSync(file);
  } catch {
    // wiped is enough
  }
}
