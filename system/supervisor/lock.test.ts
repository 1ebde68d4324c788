import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from '@ledge/contract';
import { expect, test } from 'vitest';
import { lockDataDir } from './lock.ts';

const scratch = () => mkdtempSync(join(tmpdir(), 'ledge-lock-'));

test('a second Ledge on the same data directory is refused and told who has it', () => {
  const root = scratch();
  const lock = lockDataDir(root, 4711);
  expect(() => lockDataDir(root, 4712)).toThrowError(
    expect.objectContaining({ code: 'already-running', message: expect.stringContaining('process 4711') }),
  );
  lock.release();
  lockDataDir(root, 4712).release();
});

test('the lock of a killed process does not stand in the way', async () => {
  const root = scratch();
  const source = pathToFileURL(join(import.meta.dirname, 'lock.ts')).href;
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import(${JSON.stringify(source)}).then((m)=>{m.lockDataDir(${JSON.stringify(root)},process.pid);console.log('held');setInterval(()=>{},1000)})`,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(holder.stdout, 'data');
  expect(() => lockDataDir(root, 1)).toThrow(Problem);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  lockDataDir(root, 1).release();
});
