import type { LogLine } from '@ledge/contract';
import type { SupervisorMessage } from '@ledge/kit';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Child, type ServiceProcess } from './child.ts';

interface FakeProcess extends ServiceProcess {
  say(message: SupervisorMessage): void;
  print(line: string): void;
  die(how: string, code?: number): void;
  readonly told: string[];
}

function fakeProcess(pid: number): FakeProcess {
  const { promise: ended, resolve: end } = Promise.withResolvers<{ how: string; code: number | null }>();
  let hear: (message: SupervisorMessage) => void = () => {};
  let read: (line: string, stream: 'stdout' | 'stderr') => void = () => {};
  const told: string[] = [];
  return {
    pid,
    told,
    ended,
    send: ({ type }) => {
      told.push(type);
      end({ how: 'exit code 0', code: 0 });
    },
    kill: () => {
      told.push('kill');
      end({ how: 'killed by SIGKILL', code: null });
    },
    onMessage: (listener) => {
      hear = listener;
    },
    onLine: (listener) => {
      read = listener;
    },
    say: (message) => hear(message),
    print: (line) => read(line, 'stdout'),
    die: (how, code) => end({ how, code: code ?? null }),
  };
}

function supervised(memoryLimitMb = 100) {
  const clock = fakeClock();
  const processes: FakeProcess[] = [];
  const lines: LogLine[] = [];
  const spawn = () => {
    const child = fakeProcess(100 + processes.length);
    processes.push(child);
    return child;
  };
  const child = new Child(
    { name: 'hello', module: 'hello.mjs', memoryLimitMb },
    { spawn, clock, random: () => 0.5, log: (line) => lines.push(line) },
  );
  const last = () => {
    const found = processes.at(-1);
    if (!found) throw new Error('nothing was started');
    return found;
  };
  return { child, clock, processes, lines, last };
}

test('a service that says READY runs', async () => {
  const { child, last } = supervised();
  child.start();
  expect(child.view.state).toBe('starting');
  last().say({ type: 'ready' });
  await child.ready();
  expect(child.view).toMatchObject({ state: 'running', pid: 100, restarts: 0 });
});

test('a service that dies is back after a tenth of a second, and its last end is told', async () => {
  const { child, clock, processes, last } = supervised();
  child.start();
  last().say({ type: 'ready' });
  last().die('killed by SIGKILL');
  await clock.advance(0);
  expect(child.view).toMatchObject({ state: 'waiting', lastExit: 'killed by SIGKILL' });
  await clock.advance(100);
  expect(processes).toHaveLength(2);
  expect(child.view.restarts).toBe(1);
});

test('a service that always dies is tried for ever, at most every 35 seconds', async () => {
  const { child, clock, processes, last } = supervised();
  child.start();
  for (let death = 0; death < 200; death++) {
    last().die('exit code 1');
    const before = processes.length;
    let waitedMs = 0;
    while (processes.length === before) {
      await clock.advance(100);
      waitedMs += 100;
      expect(waitedMs).toBeLessThanOrEqual(35_000);
    }
  }
  expect(processes).toHaveLength(201);
});

test('a service that stops feeding its watchdog is killed and started again', async () => {
  const { child, clock, processes, last, lines } = supervised();
  child.start();
  last().say({ type: 'ready' });
  for (let meal = 0; meal < 5; meal++) {
    await clock.advance(5000);
    last().say({ type: 'watchdog', rssBytes: 1 });
  }
  expect(processes).toHaveLength(1);
  await clock.advance(20_000);
  expect(processes[0]?.told).toEqual(['kill']);
  await clock.advance(200);
  expect(processes).toHaveLength(2);
  expect(lines.some((line) => line.message.includes('hung'))).toBe(true);
});

test('a service over its memory limit is killed, and the log says by how much', async () => {
  const { child, clock, last, lines } = supervised(100);
  child.start();
  last().say({ type: 'ready' });
  last().say({ type: 'watchdog', rssBytes: 150 * 1024 * 1024 });
  await clock.advance(0);
  expect(child.view.lastExit).toBe('used 150 MB, over its limit of 100 MB');
  expect(lines[0]).toMatchObject({ level: 50, message: expect.stringContaining('150 MB') });
});

test('a stopped service stays stopped, and one that will not stop is killed', async () => {
  const { child, clock, processes, last } = supervised();
  child.start();
  last().say({ type: 'ready' });
  await child.stop();
  await clock.advance(60_000);
  expect(child.view.state).toBe('stopped');
  expect(processes).toHaveLength(1);

  child.start();
  const stubborn = last();
  stubborn.send = () => {};
  const stopped = child.stop();
  await clock.advance(6000);
  await stopped;
  expect(stubborn.told).toEqual(['kill']);
});

test('a mistake in the configuration ends the wait for READY with the words of the service', async () => {
  const { child, last } = supervised();
  child.start();
  const ready = child.ready();
  last().print('{"level":60,"time":0,"msg":"ledge.yaml:2: prot is 1; there is no such setting"}');
  last().die('exit code 78', 78);
  await expect(ready).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringContaining('ledge.yaml:2') });
});
