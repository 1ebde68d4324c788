import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeProcesses } from './process-node.ts';

test('mplayer sees nothing of what configures the appliance, such as the first password', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledge-media-'));
  const program = join(folder, 'mplayer');
  await writeFile(program, '#!/bin/sh\nexec env\n');
  await chmod(program, 0o755);
  const processes = nodeProcesses(folder, { PATH: `${folder}:${process.env.PATH}`, PULSE_SERVER: 'kept', EDGE_ADMIN_PASSWORD: 'secret' });
  expect(await processes.find()).toBe(program);
  const child = processes.spawn(program, []);
  let seen = '';
  child.onStdout((chunk) => {
    seen += Buffer.from(chunk).toString();
  });
  await child.ended;
  await rm(folder, { recursive: true });
  expect(seen.split('\n')).toEqual(expect.arrayContaining(['PULSE_SERVER=kept', `HOME=${folder}`]));
  expect(seen).not.toContain('EDGE_');
});
