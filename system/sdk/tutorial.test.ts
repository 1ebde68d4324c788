import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { ServiceRecord } from '@ledge/contract';
import type { ServiceDefinition } from '@ledge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import { testService } from './testing.ts';

/** The compiler and a second vitest start; a busy machine takes its time. */
const RUNNING_MS = 120_000;
const root = join(import.meta.dirname, '..', '..');
/** Each block says in its first line which file it is. */
const blocks = [...readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, file = '', code = '']) => ({ file, code }),
);

/** A project of nothing but the page's blocks. */
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'ledge-tutorial-'));
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'), 'junction');
  for (const { file, code } of blocks) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), code);
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['services', 'drivers'] }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: project });

test('the page has a service, a driver, and a test of each; the service has at most 30 lines and the driver 25', () => {
  expect(blocks.map(({ file }) => file)).toEqual([
    'services/airing/service.ts',
    'services/airing/service.test.ts',
    'drivers/wifi-signal.ts',
    'drivers/wifi-signal.test.ts',
  ]);
  const linesOf = (index: number) => blocks[index]?.code.trimEnd().split('\n').length;
  expect(linesOf(0)).toBeLessThanOrEqual(30);
  expect(linesOf(2)).toBeLessThanOrEqual(25);
});

test('its types are right, as strictly as ours', { timeout: RUNNING_MS }, async () => {
  await expect(run(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project)).resolves.toMatchObject({ stdout: '' });
});

test('its own tests pass', { timeout: RUNNING_MS }, async () => {
  const { stdout } = await run(join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--root', project);
  expect(stdout).toMatch(/Test Files\W.*2 passed/);
});

test('the service watches a thing, commands it, and has an endpoint, a setting, an action, a metric and a tile', async () => {
  const { default: airing } = (await import(pathToFileURL(join(project, 'services/airing/service.ts')).href)) as {
    default: ServiceDefinition<z.ZodObject>;
  };
  await using service = await testService(airing);
  service.say('greenhouse/main/fan', false, { settable: true });
  service.say('greenhouse/main/temperature', 26.5, { unit: '°C' });
  await service.clock.advance(0);
  expect(service.commanded).toEqual([['greenhouse/main/fan', 'false']]);

  expect(await service.get('/hottest', 'viewer')).toEqual({ status: 200, body: { value: 26.5, unit: '°C' } });
  expect((await service.get('/openapi.json')).body).toHaveProperty(['paths', '/hottest', 'get']);
  expect((await service.get('/metrics')).body).toContain('airing_hottest_celsius{service="airing"} 26.5');

  const settings = (await service.put('/settings', { limit: 20 })).body;
  expect(settings).toMatchObject({ schema: { properties: { limit: { title: 'Air above', unit: '°C' } } } });
  service.say('greenhouse/main/temperature', 21);
  await service.clock.advance(0);
  expect(service.commanded.at(-1)).toEqual(['greenhouse/main/fan', 'true']);

  expect((await service.post('/actions/forget')).status).toBe(200);
  expect((await service.get('/hottest')).body).toEqual({ value: null, unit: '°C' });
  const record = service.published.find(({ topic }) => topic === 'ledge-test/service/airing');
  expect((JSON.parse(record?.payload ?? '{}') as ServiceRecord).tiles).toEqual([{ title: 'Hottest', path: 'hottest' }]);
});
