import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuiltProject } from '@ledge/kit';
import { afterAll, expect, test } from 'vitest';
import { releaseFacts } from './app.ts';
import { readLock } from './layers/lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'ledge-release-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with one file, and a repository around it where `date` says when it was committed. */
function sources(name: string, date?: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), '{"version":"0.1.0"}');
  if (date === undefined) return path;
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', path, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'x');
  return path;
}
const built = { name: 'garden', version: '1.2.0', services: [{ name: 'pump' }] } as BuiltProject;

test('a release is as old as the younger of framework and project, and names both commits', async () => {
  const framework = sources('framework', '2026-01-01T00:00:00Z');
  const project = sources('project', '2026-02-01T00:00:00Z');
  const { facts, epochS } = await releaseFacts(framework, false, { sources: project, built });
  const commit = expect.stringMatching(/^[0-9a-f]{40}$/);
  expect(facts).toEqual({
    ...{ version: '0.1.0', commit, built: '2026-02-01T00:00:00Z', machine: 'rpi', kiosk: false },
    project: { name: 'garden', version: '1.2.0', commit, services: ['pump'] },
  });
  expect(epochS).toBe(Date.parse('2026-02-01T00:00:00Z') / 1000);
  expect((await releaseFacts(framework, false)).facts).toMatchObject({ built: '2026-01-01T00:00:00Z' });

  writeFileSync(join(project, 'package.json'), '{"version":"0.1.1"}');
  const changed = (await releaseFacts(framework, false, { sources: project, built })).facts;
  expect(changed).toMatchObject({ commit, project: { commit: expect.stringMatching(/^[0-9a-f]{40}-changed$/) } });
});

test('sources in no repository have no commit, and the time of the lock file', async () => {
  const { facts, epochS } = await releaseFacts(sources('copy'), false, { sources: sources('draft'), built });
  expect(facts).toMatchObject({ commit: 'unknown', project: { name: 'garden' } });
  expect(facts.project?.commit).toBeUndefined();
  expect(epochS).toBe(Date.parse(readLock().date) / 1000);
});
