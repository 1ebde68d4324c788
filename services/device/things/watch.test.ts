import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../test-tools.ts';
import { ThingsDir } from './watch.ts';

async function begin(files: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'things-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const told: string[] = [];
  const clock = fakeClock();
  const dir = join(root, 'things');
  const things = new ThingsDir({
    dir,
    clock,
    random: () => 0.5,
    log: silent,
    rescanMs: 10_000,
    onFile: (id, yaml) => {
      if (yaml === 'poison') throw new RangeError('poisoned');
      told.push(`${id}: ${yaml}`);
    },
    onUnreadable: (id, why) => void told.push(`${id} unreadable: ${why}`),
    onGone: (id) => void told.push(`${id} gone`),
  });
  await things.start();
  onTestFinished(() => things.stop());
  const put = (name: string, text: string) => writeFileSync(join(dir, name), text);
  for (const [name, text] of Object.entries(files)) put(name, text);
  await things.rescan();
  return { dir, told, things, put };
}

test('tells files that are new, changed or gone, and only those', async () => {
  const { told, things, put, dir } = await begin({ 'a.yaml': '1', 'b.yaml': '2' });
  put('b.yaml', '3');
  await things.rescan();
  put('a.yaml', '1'); // touched, but the same
  await things.rescan();
  rmSync(join(dir, 'a.yaml'));
  await things.rescan();
  expect(told).toEqual(['a: 1', 'b: 2', 'b: 3', 'a gone']);
});

test('leaves out what is no thing file', async () => {
  const { told } = await begin({ '.a.yaml': '1', 'a.yaml~': '1', 'a.yml': '1', 'readme.md': '1' });
  expect(told).toEqual([]);
});

test('writes whole files, tells them at once, and does not tell them again', async () => {
  const { told, things, dir } = await begin();
  await things.write('pump', 'x');
  expect(told).toEqual(['pump: x']);
  await things.rescan();
  expect(told).toEqual(['pump: x']);
  expect(readFileSync(join(dir, 'pump.yaml'), 'utf8')).toBe('x');
  expect(readdirSync(dir)).toEqual(['pump.yaml']);
});

test('removes a file and tells whether there was one', async () => {
  const { told, things } = await begin({ 'a.yaml': '1' });
  expect(await things.remove('a')).toBe(true);
  expect(await things.remove('a')).toBe(false);
  expect(told).toEqual(['a: 1', 'a gone']);
});

test.each(['../ledge', '..', 'a/b', 'a\\b', '', 'A', 'a\0'])('no path but a thing of its own directory is touched: %j', async (id) => {
  const { things, dir } = await begin();
  await expect(things.write(id, 'x')).rejects.toMatchObject({ code: 'invalid-value' });
  await expect(things.read(id)).rejects.toMatchObject({ code: 'invalid-value' });
  await expect(things.remove(id)).rejects.toMatchObject({ code: 'invalid-value' });
  expect(existsSync(join(dir, '..', 'ledge.yaml'))).toBe(false);
});

test('goes on in a directory that was replaced by another', async () => {
  const { told, things, dir, put } = await begin({ 'a.yaml': '1' });
  rmSync(dir, { recursive: true });
  await things.rescan();
  put('b.yaml', '2');
  await things.rescan();
  expect(told).toEqual(['a: 1', 'a gone', 'b: 2']);
});

test('what is there and cannot be read is told once, and the other files are read', async () => {
  const { told, things, put, dir } = await begin();
  mkdirSync(join(dir, 'folder.yaml'));
  symlinkSync('loop.yaml', join(dir, 'loop.yaml'));
  symlinkSync('nowhere', join(dir, 'nowhere.yaml'));
  execFileSync('mkfifo', [join(dir, 'pipe.yaml')]); // opening it for reading would wait for ever
  put('large.yaml', '#'.repeat(300_000));
  put('z.yaml', '1');
  await things.rescan();
  await things.rescan();
  expect(told).toEqual([
    'folder unreadable: it is no file',
    'large unreadable: it has 300000 bytes; 262144 or less are wanted',
    'loop unreadable: it is a link that leads to itself',
    'pipe unreadable: it is no file',
    'z: 1',
  ]);
  await expect(things.read('pipe')).rejects.toMatchObject({ code: 'storage-failed' });
});

test('a file that is followed through a link is read', async () => {
  const { told, things, dir } = await begin();
  writeFileSync(join(dir, '..', 'elsewhere'), '1');
  symlinkSync('../elsewhere', join(dir, 'a.yaml'));
  await things.rescan();
  expect(told).toEqual(['a: 1']);
});

test('a file that cannot be used does not keep the others from being used', async () => {
  const { told } = await begin({ 'a.yaml': 'poison', 'b.yaml': '2' });
  expect(told).toEqual(['b: 2']);
});
