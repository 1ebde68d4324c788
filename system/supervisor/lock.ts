import { join } from 'node:path';
import { Problem } from '@ledge/contract';
import { tryLock } from '@ledge/kit/lock.ts';

/**
 * Holds the data directory for one Ledge, as long as this process lives.
 * @throws Problem `already-running`, with the process id of the one that has it.
 */
export function lockDataDir(root: string, pid: number): { release(): void } {
  const lock = tryLock(join(root, 'lock.db'), `process ${pid}`);
  if ('release' in lock) return lock;
  throw new Problem('already-running', `${root} is in use by ${lock.holder}; stop it, or choose another directory with --data`);
}
