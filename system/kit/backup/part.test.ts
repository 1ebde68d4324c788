import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type BackupPart, backupPartSchema, Problem } from '@ledge/contract';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { RestoreArea } from './journal.ts';
import { checkBackupPath } from './names.ts';
import { itemsOf, type Precious } from './precious.ts';
import { preparePart } from './prepare.ts';
import { takePart } from './take.ts';
import { putDocument, putFile, readDocument, readTar } from './tar.ts';

const ID = '3f1c1d5e-6a58-4d3c-9a3e-0c4f2f9b7a11';
const precious: Precious = {
  items: [
    { path: 'things' },
    { path: 'demo/people.db', prune: 'DELETE FROM sessions' },
    { path: 'demo/history', history: true },
    { path: 'secrets/key.pem', sameBoxOnly: true },
  ],
};
const box = (files: Record<string, string> = {}) => {
  const root = mkdtempSync(join(tmpdir(), 'ledge-part-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
};
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const fileOf = (path: string, text: string) => ({ path, bytes: Buffer.byteLength(text), mode: 0o640, sha256: sha(text) });

/** A part as it is handed to a service: `part.json` first. */
function tarOf(part: Partial<BackupPart>, files: Record<string, string>): Readable {
  const tar = pack();
  void (async () => {
    await putDocument(tar, 'part.json', { service: 'demo', version: '1', covers: ['things'], counts: {}, files: [], ...part });
    for (const [path, text] of Object.entries(files)) await putFile(tar, path, Buffer.byteLength(text), [Buffer.from(text)]);
    tar.finalize();
  })();
  return Readable.from(tar, { objectMode: false });
}
function prepare(root: string, source: Readable, more: { fromEdge?: string; checkSettings?: (file: string) => void } = {}) {
  const items = itemsOf('demo', precious);
  const area = new RestoreArea('demo', root, items);
  const result = preparePart(source, {
    service: 'demo',
    root,
    items,
    precious,
    area,
    id: ID,
    fromEdge: 'box-a',
    toEdge: 'box-a',
    checkSettings: () => {},
    ...more,
  });
  return { area, result };
}
async function taken(root: string, history = true) {
  const files: Record<string, Buffer> = {};
  let part: BackupPart | undefined;
  const source = Readable.from(takePart({ service: 'demo', version: '1', root, precious, facts: undefined, history }), {
    objectMode: false,
  });
  for await (const entry of readTar(source)) {
    if (entry.path === 'part.json') part = await readDocument(entry, 'part.json', backupPartSchema);
    else files[entry.path] = await buffer(entry.content);
  }
  return { files, part };
}

test('a part holds plain files only, its databases whole although they are in use, and no sessions', async () => {
  const root = box({
    'things/lamp.yaml': 'lamp',
    'demo/history/1.log': 'log',
    'settings/demo.yaml': 'a: 1',
    'settings/other.yaml': 'not mine',
    'demo/cache': 'no',
  });
  symlinkSync('/etc/passwd', join(root, 'things/passwd.yaml'));
  const db = new DatabaseSync(join(root, 'demo/people.db'));
  db.exec(
    "PRAGMA journal_mode = WAL; CREATE TABLE people (name); CREATE TABLE sessions (key); INSERT INTO people VALUES ('anna'); INSERT INTO sessions VALUES ('a-secret-of-a-session')",
  );
  const { files, part } = await taken(root);
  db.close();
  expect(Object.keys(files).sort()).toEqual(['demo/history/1.log', 'demo/people.db', 'settings/demo.yaml', 'things/lamp.yaml']);
  expect(part?.covers).toEqual(['settings/demo.yaml', 'things', 'demo/people.db', 'demo/history', 'secrets/key.pem']);
  expect(files['demo/people.db']?.includes('a-secret-of-a-session')).toBe(false);
  writeFileSync(join(root, 'copy.db'), files['demo/people.db'] ?? '');
  const copy = new DatabaseSync(join(root, 'copy.db'));
  expect(copy.prepare('SELECT name FROM people').all()).toEqual([{ name: 'anna' }]);
  copy.close();
  expect(readdirSync(join(root, 'demo'))).not.toContain('.backup-demo');
  expect(Object.keys((await taken(root, false)).files)).not.toContain('demo/history/1.log');
});

test('a part is laid beside, and takes its place when it is committed', async () => {
  const root = box({ 'things/old.yaml': 'old' });
  const { area, result } = prepare(root, tarOf({ files: [fileOf('things/a.yaml', 'new')] }, { 'things/a.yaml': 'new' }));
  expect(await result).toEqual({ files: 1, bytes: 3, warnings: [] });
  expect(readdirSync(join(root, 'things'))).toEqual(['.restore-demo', 'old.yaml']);
  area.commit(ID);
  area.apply();
  area.finish();
  expect(readdirSync(join(root, 'things'))).toEqual(['a.yaml']);
});

test('the certificate of another box is left where it is', async () => {
  const part = { covers: ['things', 'secrets/key.pem'], files: [fileOf('secrets/key.pem', 'theirs')] };
  const root = box({ 'secrets/key.pem': 'ours' });
  const { area, result } = prepare(root, tarOf(part, { 'secrets/key.pem': 'theirs' }), { fromEdge: 'box-b' });
  expect((await result).files).toBe(0);
  area.commit(ID);
  area.apply();
  expect(readFileSync(join(root, 'secrets/key.pem'), 'utf8')).toBe('ours');
  const again = prepare(root, tarOf(part, { 'secrets/key.pem': 'theirs' }));
  area.finish();
  await again.result.catch(() => {});
});

const a = fileOf('things/a.yaml', 'x');
test.each<[string, Partial<BackupPart>, Record<string, string>]>([
  ['a file that is not listed', {}, { 'things/a.yaml': 'x' }],
  ['a file that is missing', { files: [a] }, {}],
  ['a file with other content', { files: [a] }, { 'things/a.yaml': 'y' }],
  ['a file of another size', { files: [a] }, { 'things/a.yaml': 'xx' }],
  ['a file twice', { files: [a, a] }, { 'things/a.yaml': 'x' }],
  ['a path that leads out', { files: [{ ...a, path: 'things/../../x' }] }, { 'things/../../x': 'x' }],
  ['a path that is not covered', { files: [{ ...a, path: 'demo/secret' }] }, { 'demo/secret': 'x' }],
  ['a part of another service', { service: 'media' }, {}],
])('%s is refused, and nothing is left of it', async (_, part, files) => {
  const root = box({ 'things/old.yaml': 'old' });
  await expect(prepare(root, tarOf(part, files)).result).rejects.toMatchObject({ code: 'backup-damaged' });
  expect(readdirSync(root, { recursive: true })).toEqual(
    ['settings', 'things', 'things/old.yaml'].filter((name) => existsSync(join(root, name))),
  );
});

test('what the service does not name as its own is not written, even where the list of contents covers it', async () => {
  const root = box();
  const part = { covers: ['demo/people.db', 'secrets'], files: [fileOf('secrets/mqtt/server', 'x')] };
  const prepared = await prepare(root, tarOf(part, { 'secrets/mqtt/server': 'x' })).result;
  expect(prepared).toMatchObject({ files: 0, warnings: [{ code: 'left-out', service: 'demo' }] });
});

test('a damaged database, and settings that would stop the start, are refused with their reason', async () => {
  const text = `SQLite format 3\0${'x'.repeat(2000)}`;
  const database = { covers: ['demo/people.db'], files: [fileOf('demo/people.db', text)] };
  await expect(prepare(box(), tarOf(database, { 'demo/people.db': text })).result).rejects.toMatchObject({
    code: 'backup-refused',
    message: expect.stringContaining('demo/people.db'),
  });
  const settings = { covers: ['settings/demo.yaml'], files: [fileOf('settings/demo.yaml', 'port: x')] };
  const checkSettings = () => {
    throw new Problem('config-invalid', 'port is "x"; a number is wanted');
  };
  await expect(prepare(box(), tarOf(settings, { 'settings/demo.yaml': 'port: x' }), { checkSettings }).result).rejects.toMatchObject({
    code: 'backup-refused',
    message: expect.stringContaining('port is "x"'),
  });
});

test('a part that breaks off is refused', async () => {
  const whole = await buffer(tarOf({ files: [fileOf('things/a.yaml', 'x'.repeat(3000))] }, { 'things/a.yaml': 'x'.repeat(3000) }));
  const root = box();
  for (const bytes of [0, 100, 512, 1024, 2000, 4000]) {
    await expect(prepare(root, Readable.from([whole.subarray(0, bytes)])).result, `${bytes} bytes`).rejects.toMatchObject({
      code: 'backup-damaged',
    });
  }
});

test('names that Windows takes for devices are refused there', () => {
  for (const path of ['media/con.mp3', 'media/a:b', 'media/a. ']) {
    expect(() => checkBackupPath(path, 'win32')).toThrow(expect.objectContaining({ code: 'backup-damaged' }));
    expect(() => checkBackupPath(path, 'linux')).not.toThrow();
  }
});
