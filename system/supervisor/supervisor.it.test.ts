import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogLine } from '@ledge/contract';
import { supervisorServiceManager } from '@ledge/host';
import { DataDir, systemClock } from '@ledge/kit';
import { freePort, until } from '@ledge/testing';
import { afterEach, expect, test } from 'vitest';
import { nodeSpawn } from './spawn.ts';
import { Supervisor } from './supervisor.ts';

/** A service as the supervisor sees one: says that it is ready, feeds, prints, and stops when told to. */
const SERVICE = `
console.log(JSON.stringify({ level: 30, time: Date.now(), msg: 'hello', pid: process.pid }));
process.send({ type: 'ready' });
setInterval(() => process.send({ type: 'watchdog', rssBytes: process.memoryUsage.rss() }), 200);
process.on('message', ({ type }) => type === 'stop' && process.exit(0));
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => console.log('Ctrl-C reached me'));
`;

let supervisor: Supervisor | undefined;
afterEach(() => supervisor?.stop());

async function supervise(names: readonly string[], memoryLimitMb = 200) {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-supervisor-'));
  const module = join(folder, 'service.mjs');
  writeFileSync(module, SERVICE);
  const environment = {
    ...process.env,
    EDGE_DATA: join(folder, 'data'),
    EDGE_HTTP_PORT: String(await freePort()),
    EDGE_MQTT_PORT: String(await freePort()),
  };
  const lines: LogLine[] = [];
  const plans = names.map((name) => ({ name, module, memoryLimitMb }));
  const made = new Supervisor({
    environment,
    plans,
    spawn: nodeSpawn(environment),
    clock: systemClock,
    random: Math.random,
    pid: process.pid,
    print: (line) => lines.push(line),
  });
  supervisor = made;
  await made.start();
  const manager = supervisorServiceManager(new DataDir(environment.EDGE_DATA).socketPath('supervisor'));
  return { made, lines, manager };
}
type Manager = Awaited<ReturnType<typeof supervise>>['manager'];
const pidOf = async (manager: Manager, name: string) => (await manager.list()).find((service) => service.name === name)?.pid;

test('real processes are started, listed, restarted, stopped and started again through the socket', async () => {
  const { manager } = await supervise(['broker', 'hello']);
  const listed = await manager.list();
  expect(listed.map(({ name, state, restarts }) => [name, state, restarts])).toEqual([
    ['broker', 'running', 0],
    ['hello', 'running', 0],
  ]);
  const first = await pidOf(manager, 'hello');
  await manager.restart('hello');
  await until('a new process', async () => ![undefined, first].includes(await pidOf(manager, 'hello')));
  await manager.stop('hello');
  await until('the stop', async () => (await manager.list())[1]?.state === 'stopped');
  await manager.start('hello');
  await until('the start', async () => (await manager.list())[1]?.state === 'running');
  await expect(manager.restart('nobody')).rejects.toMatchObject({ code: 'not-found' });
});

test('a killed process is back in a second', async () => {
  const { manager, lines } = await supervise(['hello']);
  const first = (await pidOf(manager, 'hello')) ?? 0;
  process.kill(first, 'SIGKILL');
  await until('a new process', async () => ![undefined, first].includes(await pidOf(manager, 'hello')), 2000);
  expect(lines.some((line) => line.message.includes('killed by SIGKILL'))).toBe(true);
});

test('a process over its memory limit is killed, and the list says why it ended', async () => {
  const { manager } = await supervise(['hello'], 25);
  const end = await until('the end', async () => (await manager.list())[0]?.lastExit);
  expect(end).toMatch(/used \d+ MB, over its limit of 25 MB/);
});

test('the log gives the newest lines first and then what comes', async () => {
  const { manager } = await supervise(['hello']);
  const reading = new AbortController();
  const seen: LogLine[] = [];
  const done = (async () => {
    for await (const line of manager.logs({ service: 'hello', last: 10, signal: reading.signal })) {
      seen.push(line);
      if (seen.length === 1) await manager.restart('hello');
      if (seen.length === 2) break;
    }
  })();
  await done;
  reading.abort();
  expect(seen.map(({ message }) => message)).toEqual(['hello', 'hello']);
  expect(new Set(seen.map(({ fields }) => fields.pid)).size).toBe(2);
});

test.skipIf(process.platform === 'win32')('Ctrl-C in the terminal does not reach the services past the supervisor', async () => {
  const { manager, lines, made } = await supervise(['hello']);
  const pid = (await pidOf(manager, 'hello')) ?? 0;
  // its own process group: signals to the group of the terminal go by
  expect(() => process.kill(-pid, 0)).not.toThrow();
  await made.stop();
  expect(lines.some((line) => line.message.includes('Ctrl-C'))).toBe(false);
  expect(() => process.kill(pid, 0)).toThrow();
});
