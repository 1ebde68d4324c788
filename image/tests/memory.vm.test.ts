import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVICES } from '../../acceptance/appliance.ts';
import { readyBox } from './vm/held-box.ts';
import type { Machine } from './vm/machine.ts';

/** With 1 GiB of memory and as much compressed, swapping is work for all processors: half a minute where the machine does nothing else. */
const GREED_WITHIN_S = 180;
let box: Machine;

beforeAll(async () => {
  box = await readyBox('memory');
});
afterAll(() => box?.remove());

const processes = async () => {
  const pids = SERVICES.map(async (name) => [name, await box.sh(`systemctl show --property=MainPID --value ledge-${name}.service`)]);
  return Object.fromEntries(await Promise.all(pids)) as Record<string, string>;
};

// a service that is not heard for 30 s is started again: the machine must be as fast as it can be
test('the whole box short of memory: the greedy process is ended, broker and server go on', async () => {
  const before = await processes();
  const startMs = performance.now();
  await box.exec('exec /usr/bin/node --max-old-space-size=4096 -e "const a = []; for (;;) a.push(Buffer.alloc(16 << 20, 1))"', {
    seconds: GREED_WITHIN_S,
  });
  const tookMs = performance.now() - startMs;
  await box.up();
  const after = await processes();
  const restarted = SERVICES.filter((name) => before[name] !== after[name]);
  console.log(
    `short of memory: the greedy process ended after ${(tookMs / 1000).toFixed(1)} s; started again: ${restarted.join(', ') || 'none'}`,
  );
  const killed = await box.sh(
    "journalctl --boot --no-pager --dmesg --output=cat | grep -o 'Out of memory: Killed process.*oom_score_adj:[-0-9]*'",
  );
  expect(killed.split('\n').map((line) => line.replace(/.*:/, ''))).toEqual(['0']);
  expect(restarted).not.toContain('broker');
  expect(restarted).not.toContain('server');
});
