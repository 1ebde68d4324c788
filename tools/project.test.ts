import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readBuiltProject } from '@ledge/kit';
import { expect, test } from 'vitest';
import { builtInDrivers } from '../services/device/drivers/index.ts';
import { BUILT_IN_DRIVERS, buildProject, readProject, sourceDirs } from './project.ts';

const BUILDING_MS = 60_000;
const PACKAGE = '{"name":"garden","version":"1.2.3","private":true,"type":"module"}';
const service = (name: string) => `import { defineService, z } from '@ledge/sdk';
export default defineService({ name: '${name}', version: '1.0.0', summary: 's', settings: z.object({}), start: () => ({}) });
`;
const DRIVER = "import { defineDriver } from '@ledge/sdk';\nexport default defineDriver({ name: 'rain' } as never);\n";

function project(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-project-'));
  for (const [name, text] of Object.entries({ 'package.json': PACKAGE, ...files })) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

test('a project is built into a folder that says what is in it', { timeout: BUILDING_MS }, async () => {
  const dir = project({
    'services/hello/service.ts': service('hello'),
    'services/pump/service.ts':
      "import { greeting } from 'greeting';\nexport { default } from '../hello/service.ts';\nconsole.log(greeting);\n",
    'node_modules/greeting/index.js': "exports.greeting = 'from the project';\n",
    'drivers/rain.ts': DRIVER,
    'things/gauge.yaml': 'driver: rain\n',
    'ledge.yaml': 'hello:\n  greeting: hi\n',
  });
  const out = join(dir, 'dist');
  const { inputs } = await buildProject(dir, out);
  expect(readdirSync(out).sort()).toEqual(['device.mjs', 'hello.mjs', 'ledge.yaml', 'project.json', 'pump.mjs', 'things']);
  const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(readBuiltProject(out)).toMatchObject({
    name: 'garden',
    version: '1.2.3',
    services: [
      { name: 'hello', module: 'hello.mjs', sha256, memoryLimitMb: 160 },
      { name: 'pump', module: 'pump.mjs', sha256 },
    ],
    drivers: ['rain'],
    device: { module: 'device.mjs', sha256 },
    thingsDir: join(out, 'things'),
  });
  expect(readFileSync(join(out, 'pump.mjs'), 'utf8')).toContain('from the project');
  expect(
    sourceDirs(dir, inputs)
      .map((path) => path.slice(dir.length + 1))
      .sort(),
  ).toEqual(['', 'drivers', 'services', 'services/hello', 'services/pump', 'things']);

  // what is gone from the project is gone from the built folder; what did not change keeps its sum
  const before = readBuiltProject(out).services[0]?.sha256;
  rmSync(join(dir, 'services', 'pump'), { recursive: true });
  rmSync(join(dir, 'things', 'gauge.yaml'));
  rmSync(join(dir, 'ledge.yaml'));
  await buildProject(dir, out);
  expect(readdirSync(out).sort()).toEqual(['device.mjs', 'hello.mjs', 'project.json', 'things']);
  expect(readdirSync(join(out, 'things'))).toEqual([]);
  expect(readBuiltProject(out).services).toMatchObject([{ name: 'hello', sha256: before }]);
});

test('bundles do not say where the project lay', { timeout: BUILDING_MS }, async () => {
  const built = async () => {
    const dir = project({
      'services/hello/service.ts': `import 'greeting';\n${service('hello')}`,
      'node_modules/greeting/index.js': "exports.greeting = 'x';\n",
    });
    await buildProject(dir, join(dir, 'dist'));
    return readBuiltProject(join(dir, 'dist')).services[0]?.sha256;
  };
  expect(await built()).toBe(await built());
});

test('a service whose name is not its folder ends with a sentence when it runs', { timeout: BUILDING_MS }, async () => {
  const dir = project({ 'services/hello/service.ts': service('hallo'), 'services/empty/service.ts': 'export default 42;\n' });
  await buildProject(dir, join(dir, 'dist'));
  const run = (name: string) => spawnSync(process.execPath, [join(dir, 'dist', `${name}.mjs`)], { encoding: 'utf8' });
  expect(run('hello')).toMatchObject({ status: 78, stdout: expect.stringContaining('its name is \\"hallo\\"; \\"hello\\"') });
  expect(run('empty')).toMatchObject({ status: 78, stdout: expect.stringContaining('exports 42 as default') });
});

test.each<[string, Record<string, string>, RegExp]>([
  ['no package.json with a version', { 'package.json': '{"name":"x"}' }, /package\.json: version/],
  ['a package.json that is no JSON', { 'package.json': '{' }, /package\.json is no JSON/],
  ['a service with a name of ours', { 'services/media/service.ts': '' }, /services\/media: .*Ledge has a service of that name/],
  ['a service called supervisor', { 'services/supervisor/service.ts': '' }, /Ledge uses that name itself/],
  ['a service that a service of ours could be taken for', { 'services/device-things/service.ts': '' }, /begin with device-/],
  ['a service with a capital letter', { 'services/Hello/service.ts': '' }, /"Hello".*lower-case/],
  [
    'names of which one begins with the other',
    { 'services/rain/service.ts': '', 'services/rain-gauge/service.ts': '' },
    /rain-gauge: .*services\/rain/,
  ],
  ['a folder without service.ts', { 'services/hello/main.ts': '' }, /services\/hello has no service\.ts; .*lib\//],
  ['a driver that is built in', { 'drivers/gpio.ts': '' }, /a driver gpio is built in/],
  [
    'a limit for nobody',
    { 'package.json': '{"name":"x","version":"1","ledge":{"memoryLimitMb":{"y":99}}}' },
    /"y"; there is no services\/y/,
  ],
])('a project with %s is told in a sentence', (_, files, message) => {
  expect(() => readProject(project(files))).toThrow(message);
});

test('a folder that is none is told in a sentence', () => {
  expect(() => readProject('/nowhere/at/all')).toThrow(/is no folder; .*build\.sh new/);
});

test.each<[string, string, RegExp]>([
  ['without a default export', 'export const x = 1;\n', /services\/hello\/service\.ts has no default export; .*defineService/],
  ['with a mistake in it', 'export default {;\n', /services\/hello\/service\.ts:1: /],
  ['that imports what is not there', "import 'nothing-of-that-name';\nexport default {};\n", /service\.ts:1: Could not resolve/],
  ['that reaches past the SDK', "import '@ledge/kit';\nexport default {};\n", /@ledge\/kit is not for projects; @ledge\/sdk/],
])('a service %s is told with its place', async (_, text, message) => {
  const dir = project({ 'services/hello/service.ts': text });
  await expect(buildProject(dir, join(dir, 'dist'))).rejects.toThrow(message);
  expect(readdirSync(dir)).not.toContain('dist');
});

test('the list of built-in drivers is whole', () => {
  expect([...BUILT_IN_DRIVERS].sort()).toEqual([...builtInDrivers.keys()].sort());
});
