import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { startAppliance } from './appliance.ts';
import { SseReader } from './sse-reader.ts';

const LIVE_WITHIN_MS = 10_000;
const program = join(import.meta.dirname, '..', 'dist', 'ledge.mjs');

async function runToEnd(args: string[], environment: Record<string, string> = {}): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let stderr = '';
  child.stderr.on('data', (part) => {
    stderr += String(part);
  });
  await once(child, 'close');
  return { code: child.exitCode, stderr };
}

test("on a new data directory the machine's own values are live within 10 s of the start", async () => {
  const startMs = performance.now();
  const ledge = await startAppliance();
  const readyMs = performance.now() - startMs;
  const stream = new SseReader(ledge, [`${ledge.edge}/5/#`]);
  try {
    await until('a value of the machine', () => stream.messages.some((message) => /\/5\/system\/[^$/]+\/[^$/]+$/.test(message.topic)));
    const liveMs = performance.now() - startMs;
    console.log(`start: all ready after ${Math.round(readyMs)} ms, live value after ${Math.round(liveMs)} ms`);
    expect(liveMs).toBeLessThan(LIVE_WITHIN_MS);
    expect((await fetch(ledge.url)).headers.get('content-type')).toContain('text/html');
  } finally {
    stream.stop();
    await ledge.stop();
  }
});

test('a second Ledge on the same data, or on taken ports, is refused in a sentence', async () => {
  const ledge = await startAppliance();
  try {
    const same = await runToEnd(['--data', ledge.dataDir]);
    expect(same.code).toBe(1);
    expect(same.stderr).toMatch(/in use by process \d+; .*--data/);
    const port = new URL(ledge.url).port;
    const taken = await runToEnd([
      '--data',
      mkdtempSync(join(tmpdir(), 'ledge-second-')),
      '--http-port',
      port,
      '--mqtt-port',
      String(ledge.mqttPort + 1),
    ]);
    expect(taken.code).toBe(1);
    expect(taken.stderr).toMatch(new RegExp(`${port} is in use by .+--http-port`));
  } finally {
    await ledge.stop();
  }
});

test('a mistake on the command line, in the environment or in ledge.yaml is told and nothing starts', async () => {
  const data = mkdtempSync(join(tmpdir(), 'ledge-wrong-'));
  expect(await runToEnd(['--data', data, '--http-port', 'many'])).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('--http-port'),
  });
  expect(await runToEnd(['--data', data], { EDGE_BROKR_PORT: '1' })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('EDGE_BROKR_PORT'),
  });
  writeFileSync(join(data, 'ledge.yaml'), 'device:\n  colour: blue\n');
  const ports = ['--http-port', String(await freePort()), '--mqtt-port', String(await freePort())];
  expect(await runToEnd(['--data', data, ...ports])).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/ledge\.yaml:2: colour is "blue"; there is no such setting/),
  });
});

test('EDGE_SERVICE runs one service alone, as systemd and containers start them', async () => {
  const environment = {
    ...process.env,
    EDGE_DATA: mkdtempSync(join(tmpdir(), 'ledge-alone-')),
    EDGE_MQTT_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
  };
  const alone = ['broker', 'server'].map((name) => {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...environment, EDGE_SERVICE: name } });
    const ended = once(child, 'exit');
    return { child, ended };
  });
  try {
    await until('both to know each other', async () => {
      const health = await fetch(`http://127.0.0.1:${environment.EDGE_HTTP_PORT}/api/server/health`);
      return ((await health.json()) as { services: Record<string, string> }).services.broker === 'ready';
    });
  } finally {
    for (const { child, ended } of alone) {
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  }
  expect(await runToEnd([], { EDGE_SERVICE: 'nobody' })).toMatchObject({ code: 78, stderr: expect.stringContaining('one of broker') });
});

test('it stops in order and at once when told to, and leaves no process behind', async () => {
  const ledge = await startAppliance();
  const pids = (await ledge.services()).map((service) => service.pid ?? 0);
  const startMs = performance.now();
  await ledge.stop();
  expect(performance.now() - startMs).toBeLessThan(6000);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  const stopped = ledge.log.filter((line) => / service stopped/.test(line)).map((line) => line.split(/\s+/)[1]);
  expect(stopped).toEqual(['server', 'media', 'sse', 'device', 'broker']);
});
