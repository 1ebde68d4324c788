import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { diskSwapFiles, RestoreArea, type SwapFiles } from './journal.ts';

const ID = '3f1c1d5e-6a58-4d3c-9a3e-0c4f2f9b7a11';
const ITEMS = [
  { path: 'settings/device.yaml' },
  { path: 'things', except: /^\.upload-/ },
  { path: 'device/people.db' },
  { path: 'device/history' },
  { path: 'ledge.yaml', isTopFile: true },
];
const COVERS = ITEMS.map(({ path }) => path);
const put = (root: string, files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
};
const OLD = {
  'settings/device.yaml': 'old',
  'settings/media.yaml': 'of another service',
  'things/lamp.yaml': 'old',
  'things/gone.yaml': 'old',
  'things/.upload-1': 'being written',
  'device/people.db': 'old',
  'device/people.db-wal': 'old',
  'device/outbox.db': 'not part of it',
  'device/history/raw/1.log': 'old',
  'ledge.yaml': 'old',
};
const NEW = {
  'settings/device.yaml': 'new',
  'things/lamp.yaml': 'new',
  'things/sub/new.yaml': 'new',
  'device/people.db': 'new',
  'device/history/raw/2.log': 'new',
};
const AFTER = {
  ...NEW,
  'settings/media.yaml': 'of another service',
  'things/.upload-1': 'being written',
  'device/outbox.db': 'not part of it',
};

function box(files: SwapFiles = diskSwapFiles) {
  const root = mkdtempSync(join(tmpdir(), 'ledge-journal-'));
  put(root, OLD);
  const area = new RestoreArea('device', root, ITEMS, files);
  return { root, area };
}
function prepared(root: string, area: RestoreArea) {
  for (const [path, text] of Object.entries(NEW)) {
    mkdirSync(dirname(area.next(path)), { recursive: true });
    writeFileSync(area.next(path), text);
  }
  area.prepared(ID, COVERS);
  return root;
}
const contentOf = (root: string, hidden = false) =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => hidden || !path.includes('.restore-'))
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  );

test('what is prepared changes nothing, and what is dropped leaves nothing', () => {
  const { root, area } = box();
  prepared(root, area);
  expect(area.apply()).toBeUndefined();
  expect(contentOf(root)).toEqual(OLD);
  expect(area.drop()).toBe(true);
  expect(contentOf(root, true)).toEqual(OLD);
});

test('what is committed takes the place of what was there, and nothing else changes', () => {
  const { root, area } = box();
  prepared(root, area);
  expect(area.commit('0f1c1d5e-6a58-4d3c-9a3e-0c4f2f9b7a11')).toBe(false);
  expect(area.commit(ID)).toBe(true);
  expect(area.drop()).toBe(false);
  expect(contentOf(root)).toEqual(OLD);
  expect(area.apply()).toBe(ID);
  expect(contentOf(root)).toEqual(AFTER);
  expect(readFileSync(join(root, 'things/.restore-device/old/lamp.yaml'), 'utf8')).toBe('old');
  area.finish();
  expect(contentOf(root, true)).toEqual(AFTER);
  expect(existsSync(join(root, 'settings/.restore-device'))).toBe(false);
});

test('a database does not inherit the journal of the one before it', () => {
  const { root, area } = box();
  prepared(root, area);
  area.commit(ID);
  area.apply();
  expect(existsSync(join(root, 'device/people.db-wal'))).toBe(false);
});

/** Throws at the given operation and at all that follow: the power is gone. */
function powerCut(atOperation: number): { files: SwapFiles; operations(): number } {
  let operations = 0;
  const files = { ...diskSwapFiles };
  for (const name of ['read', 'list', 'exists', 'isFile', 'write', 'move', 'makeFolder', 'remove', 'sync'] as const) {
    const real = diskSwapFiles[name] as (...words: string[]) => unknown;
    (files as Record<string, unknown>)[name] = (...words: string[]) => {
      if (operations++ >= atOperation) throw new Error('the power is gone');
      return real(...words);
    };
  }
  return { files, operations: () => operations };
}

test('a power cut at any step of the swap, and another one at any step of its mending, ends with what is new', { timeout: 60_000 }, () => {
  const total = (() => {
    const cut = powerCut(Number.POSITIVE_INFINITY);
    const { root, area } = box();
    prepared(root, area);
    area.commit(ID);
    const counted = new RestoreArea('device', root, ITEMS, cut.files);
    counted.apply();
    counted.finish();
    return cut.operations();
  })();
  expect(total).toBeGreaterThan(40);
  for (let first = 0; first < total; first++) {
    const { root, area } = box();
    prepared(root, area);
    area.commit(ID);
    for (const at of [first, (first * 7) % total]) {
      const broken = new RestoreArea('device', root, ITEMS, powerCut(at).files);
      expect(() => {
        broken.apply();
        broken.finish();
        throw new Error('the power is gone');
      }).toThrow('the power is gone');
    }
    area.apply();
    area.finish();
    expect(contentOf(root, true), `cut before operation ${first} of ${total}`).toEqual(AFTER);
  }
});

test('a power cut at any step of the commit is a commit or none, never a half', () => {
  for (let at = 0; at < 6; at++) {
    const { root, area } = box();
    prepared(root, area);
    try {
      new RestoreArea('device', root, ITEMS, powerCut(at).files).commit(ID);
    } catch {
      // cut
    }
    const isCommitted = area.journal()?.state === 'committed';
    area.apply();
    area.finish();
    expect(contentOf(root), `cut before operation ${at}`).toEqual(isCommitted ? AFTER : OLD);
  }
});

test('a power cut at any step of dropping leaves what was there in place', () => {
  for (let at = 0; at < 12; at++) {
    const { root, area } = box();
    prepared(root, area);
    try {
      new RestoreArea('device', root, ITEMS, powerCut(at).files).drop();
    } catch {
      // cut
    }
    area.apply();
    expect(contentOf(root), `cut before operation ${at}`).toEqual(OLD);
    area.drop();
    expect(contentOf(root, true)).toEqual(OLD);
  }
});
