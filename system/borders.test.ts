import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROBLEMS } from '@ledge/contract';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const sources = ['system/**/*.ts', 'services/**/*.ts', 'webui/**/*.ts', 'bench/**/*.ts']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter((file) => !file.includes('node_modules'));
const isTest = (file: string) =>
  /\.(test|contract)\.ts$|[-.]contract\.ts$|^system\/testing\/|^system\/sdk\/testing[./]|fake-|test-tools|test-support|test-sink|-worlds|harness|-simulated|^webui\/tests\//.test(
    file,
  );

/** What each room may take from the others (the house: contract ← kit ← host, sdk ← services; contract ← webui). */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'system/contract': [],
  'system/kit': ['contract'],
  'system/host': ['contract', 'kit'],
  'system/sdk': ['contract', 'kit'],
  'system/supervisor': ['contract', 'kit', 'host'],
  'system/doctor': ['contract', 'kit', 'host'],
  'system/cli': ['contract', 'kit', 'host', 'doctor', 'supervisor'],
  'system/provision': ['contract', 'kit', 'host'],
  'system/testing': ['contract', 'kit', 'host', 'supervisor'],
  services: ['contract', 'kit', 'host', 'doctor', 'sdk'],
  webui: ['contract'],
  bench: ['contract', 'kit', 'host', 'supervisor', 'testing'],
};

const importsOf = (file: string) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');

test('no room takes from another what the house forbids', () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const room = Object.keys(MAY_IMPORT).find((name) => file.startsWith(`${name}/`));
    if (!room) continue;
    const service = /^services\/([^/]+)\//.exec(file)?.[1];
    for (const target of importsOf(file)) {
      const name = /^@ledge\/([^/]+)/.exec(target)?.[1];
      if (name && !(MAY_IMPORT[room] ?? []).includes(name) && name !== room.split('/').pop() && !(name === 'testing' && isTest(file)))
        wrong.push(`${file} imports ${target}`);
      if (target === '@ledge/sdk/testing.ts' && !isTest(file)) wrong.push(`${file} imports ${target}`);
      if (target.startsWith('.')) {
        const to = join(file, '..', target);
        const home = service ? `services/${service}/` : `${room}/`;
        const drivesWhole = to.startsWith('acceptance/') && (isTest(file) || room === 'bench');
        if (!to.startsWith(home) && !drivesWhole) wrong.push(`${file} reaches out to ${to}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test('contract and pages can live in a browser: nothing of Node is in them', () => {
  const wrong = sources
    .filter(
      (file) =>
        (file.startsWith('system/contract/') || /^webui\/(client|components|dashboard|signin|kiosk|admin)\//.test(file)) && !isTest(file),
    )
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('node:'))
        .map((target) => `${file} imports ${target}`),
    );
  expect(wrong).toEqual([]);
});

test('every problem code is used somewhere, and every used code is in the list', () => {
  const text = sources
    .filter((file) => !isTest(file) && file !== 'system/contract/problems.ts')
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const thrown = new Set([...text.matchAll(/new Problem\(\s*'([a-z-]+)'/g)].map((match) => match[1]));
  expect([...thrown].filter((code) => !(code && code in PROBLEMS))).toEqual([]);
  expect(Object.keys(PROBLEMS).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});
