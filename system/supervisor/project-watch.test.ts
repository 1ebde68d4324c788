import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuiltProject, PROJECT_FILE, systemClock, writeFileAtomic } from '@ledge/kit';
import { until } from '@ledge/testing';
import { afterEach, expect, test } from 'vitest';
import { watchBuiltProject } from './project-watch.ts';

const manifest = (version: string) => JSON.stringify({ name: 'garden', version, services: [], drivers: [] });
let stop = () => {};
afterEach(() => stop());

test('a project that was built again is told, a list that cannot be read is a sentence, and nothing else counts', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-built-'));
  writeFileSync(join(dir, PROJECT_FILE), manifest('1'));
  const told: BuiltProject[] = [];
  const mistakes: string[] = [];
  const watching = watchBuiltProject(dir, {
    clock: systemClock,
    onChange: (project) => told.push(project),
    onMistake: (sentence) => mistakes.push(sentence),
  });
  stop = () => watching.stop();
  writeFileSync(join(dir, 'hello.mjs'), '');
  writeFileAtomic(join(dir, PROJECT_FILE), manifest('2'));
  await until('the change', () => told.length > 0);
  expect(told.map(({ version }) => version)).toEqual(['2']);
  writeFileAtomic(join(dir, PROJECT_FILE), '{');
  await until('the mistake', () => mistakes.length > 0);
  expect(mistakes[0]).toMatch(/project\.json cannot be read/);
});
