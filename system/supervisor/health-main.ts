/** For a container's health check: ends with 0 when the service named by EDGE_SERVICE is well, else with 1 and a sentence. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf } from '@ledge/host/linux/children.ts';
import { faultOf, Misses } from './health.ts';

const name = process.env.EDGE_SERVICE ?? 'server';
const misses = new Misses(join(tmpdir(), `ledge-misses-${name}`));
const fault = await faultOf(name, process.env);
if (fault === undefined) misses.forget();
else {
  console.error(fault);
  process.exitCode = 1;
  // nobody else ends a service that hangs; below the engine's init it can be ended, and is then started again
  if (misses.isOneTooMany()) for (const pid of await childrenOf(1)) process.kill(pid, 'SIGKILL');
}
