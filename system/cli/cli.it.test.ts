import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { doctorReportSchema } from '@ledge/contract';
import { freePort, until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const DIST = join(import.meta.dirname, '..', '..', 'dist');
const PROGRAM = join(DIST, 'cli.mjs');
const data = mkdtempSync(join(tmpdir(), 'ledge-cli-'));
const ended: (() => void)[] = [];

beforeAll(() => {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing; run ./build.sh build`);
});
afterAll(() => {
  for (const end of ended) end();
  rmSync(data, { recursive: true, force: true, maxRetries: 5 });
});

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}
const ledge = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, EDGE_DATA: data };
    execFile(process.execPath, [PROGRAM, ...args], { env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });

test('the bundle is small, and brings no schema library', () => {
  const text = readFileSync(PROGRAM, 'utf8');
  console.log(`dist/cli.mjs has ${Math.round(text.length / 1024)} KiB`);
  expect(text.length).toBeLessThan(120 * 1024);
  expect(text).not.toMatch(/ZodError|node_modules/);
});

test('it says its version quickly', async () => {
  const startMs = performance.now();
  const { code, stdout, stderr } = await ledge('version');
  console.log(`ledge version took ${Math.round(performance.now() - startMs)} ms`);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^Ledge \d+\.\d+\.\d+.*, Node v?\d+/);
  expect(code).toBe(0);
});

test('the doctor looks at this machine, in its own form', async () => {
  const { code, stdout } = await ledge('doctor', '--json');
  const report = doctorReportSchema.parse(JSON.parse(stdout));
  expect(report.checks.find(({ name }) => name === 'memory')?.state).not.toBe('skipped');
  expect(report.checks.find(({ name }) => name === 'slots')?.state).toBe('skipped');
  expect(code).toBe(report.state === 'fault' ? 1 : 0);
});

test('what is not there, and what is not understood, ends with its own code', async () => {
  expect(await ledge('frob')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('no command "frob"') });
  expect(await ledge('reboot')).toMatchObject({ code: 3, stderr: expect.stringContaining('Only the card image') });
  expect(await ledge('restart', 'media')).toMatchObject({ code: 5, stderr: expect.stringContaining('does not run here') });
});

test('a reader that has had enough is no error', async () => {
  const child = spawn(process.execPath, [PROGRAM, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let complaint = '';
  child.stderr.on('data', (part: Buffer) => {
    complaint += part;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(complaint).toBe('');
  expect(code).toBe(0);
});

test('beside a running Ledge it lists, restarts and reads what its supervisor has', async () => {
  const [http, mqtt] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [join(DIST, 'ledge.mjs'), '--data', data, '--http-port', String(http), '--mqtt-port', String(mqtt)],
    {
      stdio: 'ignore',
    },
  );
  ended.push(() => child.kill('SIGTERM'));
  const status = await until(
    'all services to be ready',
    async () => {
      const { stdout } = await ledge();
      return /^sse +ready/m.test(stdout) && /^media +ready/m.test(stdout) && /^server +ready/m.test(stdout) && stdout;
    },
    30_000,
  );
  console.log(status);
  expect(status).toMatch(/^Ledge \(ledge-[0-9a-f]{8}\)$/m);
  expect(status).toContain(`Page      http://localhost:${http}/`);
  expect(status).toMatch(/^Doctor/m);
  expect(Math.max(...status.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);

  expect(await ledge('restart', 'media')).toMatchObject({ code: 0, stdout: 'media was restarted.\n' });
  expect(await ledge('restart', 'ghost')).toMatchObject({ code: 2, stderr: expect.stringContaining('there are broker, device') });
  const { code, stdout } = await ledge('logs', 'sse', '-n', '5');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d\d:\d\d:\d\d sse +info +service ready/m);
  expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(5);
  expect(stdout).not.toMatch(/ media /);

  const follow = spawn(process.execPath, [PROGRAM, 'logs', '-f', '-n', '0'], {
    env: { ...process.env, EDGE_DATA: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let live = '';
  follow.stdout.on('data', (part: Buffer) => {
    live += part;
  });
  await until('the reader to listen', async () => {
    await ledge('restart', 'media');
    return /media/.test(live);
  });
  follow.kill('SIGINT');
  expect(await new Promise((resolve) => follow.once('close', resolve))).toBe(0);
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
});
