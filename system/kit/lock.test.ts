import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tryLock } from './lock.ts';

const file = () => join(mkdtempSync(join(tmpdir(), 'ledge-lock-')), 'lock.db');
function held(path: string, who: string) {
  const lock = tryLock(path, who);
  if (!('release' in lock)) throw new Error(`${lock.holder} has it`);
  return lock;
}

test('a lock is held by one, and told of by name', () => {
  const path = file();
  const lock = held(path, 'the first');
  expect(tryLock(path, 'the second')).toEqual({ holder: 'the first' });
  lock.release();
  lock.release(); // once more does no harm
  held(path, 'the second').release();
});

test('a file that a power cut broke is no lock', () => {
  const path = file();
  writeFileSync(path, 'no database '.repeat(1000));
  const lock = held(path, 'the first');
  expect(tryLock(path, 'the second')).toEqual({ holder: 'the first' });
  lock.release();
});
