import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** sqlite3.h, SQLITE_BUSY: somebody else has the lock. */
const BUSY = 5;

/**
 * Takes a lock for as long as this process lives. It is SQLite's own on an open file, so the system lets go of it when the process dies, on every
 * platform, and in containers that share the folder.
 * @param who for the one who comes too late, such as `process 4711`
 * @returns `holder` when another one has it: who, if that can be read
 */
export function tryLock(file: string, who: string): { release(): void } | { holder: string } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return lock(file, who);
  } catch {
    rmSync(file, { force: true }); // left broken by a power cut: nothing in it is worth keeping
    return lock(file, who);
  }
}

function lock(file: string, who: string): ReturnType<typeof tryLock> {
  const database = new DatabaseSync(file);
  try {
    // only locks matter here: nothing has to reach the disk
    database.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY');
    database.exec('CREATE TABLE IF NOT EXISTS held (who TEXT); DELETE FROM held');
    database.prepare('INSERT INTO held VALUES (?)').run(who);
    // a write transaction that stays open: readers may still see who holds it
    database.exec('BEGIN IMMEDIATE');
    return {
      release: () => {
        if (database.isOpen) database.close();
      },
    };
  } catch (error) {
    const isBusy = (error as { errcode?: number }).errcode === BUSY;
    const holder = isBusy ? holderOf(database) : undefined;
    database.close();
    if (!isBusy) throw error;
    return { holder: holder ?? 'another process' };
  }
}

function holderOf(database: DatabaseSync): string | undefined {
  try {
    return (database.prepare('SELECT who FROM held').get() as { who: string } | undefined)?.who;
  } catch {
    return undefined;
  }
}
