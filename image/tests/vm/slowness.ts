import { execFileSync } from 'node:child_process';
import type { Machine } from './machine.ts';

/** What a service does most: start Node, make and read JSON. */
const WORK = `const t = performance.now();
let n = 0;
for (let i = 0; i < 20000; i++) n += JSON.stringify(JSON.parse('{"time":"2026-01-01T00:00:00Z","value":' + i + ',"tags":["a","b"]}')).length;
console.log(performance.now() - t)`;

/** How many times slower the machine's Node is than this machine's at the same work. */
export async function slownessOf(machine: Machine): Promise<number> {
  const there = Number(await machine.sh(`/usr/bin/node -e '${WORK.replaceAll("'", `'\\''`)}'`));
  const here = Number(execFileSync(process.execPath, ['-e', WORK]).toString());
  return Math.max(1, there / here);
}
