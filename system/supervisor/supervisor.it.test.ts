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

const plan = (name: string, module: string, sha256?: string) => ({ name, module, memoryLimitMb: 200, ...(sha256 ? { sha256 } : {}) });

async function supervise(names: readonly string[], memoryLimitMb = 200, optional: readonly { name: string; module: string }[] = []) {
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
  const plans = [
    ...names.map((name) => ({ name, module, memoryLimitMb })),
    ...optional.map((service) => ({ ...service, memoryLimitMb, isOptional: true })),
  ];
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
  return { made, lines, manager, folder, module };
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

test('services that come, change or go are started, replaced or stopped, and the others are not touched', async () => {
  const { made, manager, module } = await supervise(['broker', 'hello']);
  const pids = async () => Object.fromEntries((await manager.list()).map(({ name, pid }) => [name, pid]));
  const before = await pids();
  await made.change([plan('broker', module), plan('hello', module), plan('rain', module, 'first')]);
  await until('the new one', async () => (await manager.list()).find(({ name }) => name === 'rain')?.state === 'running');
  const added = await pids();
  expect(added).toMatchObject(before);

  await made.change([plan('broker', module), plan('hello', module), plan('rain', module, 'second')]);
  await until('the other program', async () => (await manager.list()).find(({ name }) => name === 'rain')?.state === 'running');
  const changed = await pids();
  expect(changed).toMatchObject(before);
  expect(changed.rain).not.toBe(added.rain);

  await made.change([plan('broker', module), plan('rain', module, 'second')]);
  expect(await pids()).toEqual({ broker: before.broker, rain: changed.rain });
  await until('its end', () => {
    try {
      process.kill(before.hello ?? 0, 0);
      return false;
    } catch {
      return true;
    }
  });
});

test('an optional service that a person stopped stays stopped when its program changes', async () => {
  const { made, manager, module } = await supervise(['broker', 'hello']);
  await manager.stop('hello');
  await until('the stop', async () => (await manager.list())[1]?.state === 'stopped');
  await made.change([plan('broker', module), plan('hello', module, 'another')]);
  expect((await manager.list())[1]).toMatchObject({ state: 'stopped' });
});

test('an optional service that does not start does not keep the box from starting', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-optional-'));
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { manager } = await supervise(['broker'], 200, [
    { name: 'crashes', module: write('crashes.mjs', 'throw new Error("no");') },
    { name: 'mistaken', module: write('mistaken.mjs', 'process.exit(78);') },
    { name: 'silent', module: write('silent.mjs', 'process.on("message", () => process.exit(0));') },
  ]);
  expect((await manager.list()).map(({ name }) => name)).toEqual(['broker', 'crashes', 'mistaken', 'silent']);
});
