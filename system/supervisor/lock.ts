import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Problem } from '@ledge/contract';

/**
 * Holds the data directory for one Ledge. The lock is SQLite's own on an open file, so the system lets go of it when the process dies,
 * on every platform.
 * @throws Problem `already-running`, with the process id of the one that has it.
 */
export function lockDataDir(root: string, pid: number): { release(): void } {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const file = join(root, 'lock.db');
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA busy_timeout = 0; CREATE TABLE IF NOT EXISTS holder (pid INTEGER)');
    database.prepare('DELETE FROM holder').run();
    database.prepare('INSERT INTO holder VALUES (?)').run(pid);
    // a write transaction that stays open: readers may still see who holds it
    database.exec('BEGIN IMMEDIATE');
  } catch (cause) {
    const holder = holderOf(database);
    database.close();
    const who = holder === undefined ? 'another process' : `process ${holder}`;
    throw new Problem('already-running', `${root} is in use by ${who}; stop it, or choose another directory with --data`, { cause });
  }
  return { release: () => database.close() };
}

function holderOf(database: DatabaseSync): number | undefined {
  try {
    return (database.prepare('SELECT pid FROM holder').get() as { pid: number } | undefined)?.pid;
  } catch {
    return undefined;
  }
}
