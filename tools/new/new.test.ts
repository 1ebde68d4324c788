import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../bundle.ts';
import { readProject } from '../project.ts';
import { makeProject } from './main.ts';

const scratch = () => realpathSync(mkdtempSync(join(tmpdir(), 'ledge-new-')));
const MAX_SERVICE_LINES = 30;

test('a new project has a service, a thing, tests, a compose file, and the framework beside them', () => {
  const dir = makeProject(join(scratch(), 'My Garden 2'), {});
  expect(readProject(dir)).toMatchObject({
    name: 'my-garden-2',
    version: '0.1.0',
    services: [{ name: 'airing' }],
    drivers: [],
    things: ['greenhouse.yaml'],
  });
  for (const file of ['README.md', 'docker-compose.yml', '.gitignore', 'tsconfig.json', 'services/airing/service.test.ts'])
    expect(existsSync(join(dir, file)), file).toBe(true);
  expect(readFileSync(join(dir, 'services/airing/service.ts'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_SERVICE_LINES);
  expect(realpathSync(join(dir, 'ledge'))).toBe(realpathSync(root));
  if (process.platform !== 'win32') expect(statSync(join(dir, 'build.sh')).mode & 0o111).toBe(0o111);
});

test('service and driver have the names that were asked for, everywhere', () => {
  const dir = makeProject(join(scratch(), 'garden'), { service: '3d-rain', driver: 'wifi-level' });
  const read = (file: string) => readFileSync(join(dir, file), 'utf8');
  expect(readProject(dir)).toMatchObject({ services: [{ name: '3d-rain' }], drivers: [{ name: 'wifi-level' }] });
  const all = ['services/3d-rain/service.ts', 'services/3d-rain/service.test.ts', 'drivers/wifi-level.ts', 'drivers/wifi-level.test.ts'];
  for (const file of [...all, 'README.md', 'things/wifi-level.yaml'])
    expect(read(file), file).not.toMatch(/airing|wifi-signal|wifi\.ts|\{\{/);
  expect(read('services/3d-rain/service.ts')).toContain("name: '3d-rain'");
  expect(read('services/3d-rain/service.ts')).toContain("'_3d_rain_hottest_celsius'");
  expect(read('things/wifi-level.yaml')).toMatch(/^enabled: false\ndriver: wifi-level$/m);
});

test('a folder that is in use is refused, an empty one is not', () => {
  const used = scratch();
  writeFileSync(join(used, 'something'), '');
  expect(() => makeProject(used, {})).toThrow(/is not empty/);
  const empty = join(scratch(), 'empty');
  mkdirSync(empty);
  makeProject(empty, {});
});

test.each<[string, string, Parameters<typeof makeProject>[1], RegExp]>([
  ['inside the framework', join(root, 'my-project'), {}, /inside the framework; .*\.\.\/my-project/],
  ['with a service that has a name of ours', '', { service: 'server' }, /--service is "server"; Ledge has a service of that name/],
  ['with a service that has no name', '', { service: 'My Service' }, /--service is "My Service"; lower-case/],
  ['with a driver that is built in', '', { driver: 'w1' }, /--driver is "w1"; a driver w1 is built in/],
  ['with a driver whose thing is there', '', { driver: 'greenhouse' }, /the project has a thing of that name/],
])('a project %s is refused in a sentence, and nothing is made', (_, path, wanted, message) => {
  const dir = path || join(scratch(), 'garden');
  expect(() => makeProject(dir, wanted)).toThrow(message);
  expect(existsSync(dir)).toBe(false);
});
