import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { wavOfSilence } from '@ledge/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Library } from './library.ts';

let root: string;
let folder: string;
let library: Library;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ledge-library-'));
  folder = join(root, 'media');
  let ids = 0;
  library = new Library(folder, () => `id-${++ids}`);
  await library.start();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const LIMIT = 1e6;
const bytes = (...chunks: Uint8Array[]) => Readable.from(chunks);

test('an upload is there whole, with its length, and nothing else is', async () => {
  const sound = wavOfSilence(2);
  const item = await library.store('Jazz/So what?'.replace('?', ' ünï ☃.wav'), bytes(sound.subarray(0, 100), sound.subarray(100)), LIMIT);
  expect(item).toEqual({ path: 'Jazz/So what ünï ☃.wav', title: 'So what ünï ☃', durationS: 2, bytes: sound.length });
  expect(await library.list()).toEqual([item]);
  expect(await readdir(folder)).toEqual(['Jazz']);
});

test('what is no sound by its content is refused and leaves nothing', async () => {
  await expect(library.store('x.mp3', bytes(Buffer.from('#!/bin/sh\ntouch x\n')), LIMIT)).rejects.toMatchObject({
    code: 'unsupported-media-type',
  });
  await expect(library.store('x.sh', bytes(wavOfSilence(1)), LIMIT)).rejects.toMatchObject({ code: 'unsupported-media-type' });
  await expect(library.store('x.mp3', bytes(), LIMIT)).rejects.toMatchObject({ code: 'unsupported-media-type' });
  expect(await readdir(folder)).toEqual([]);
});

test('an upload over the limit is refused and leaves nothing', async () => {
  await expect(library.store('x.wav', bytes(wavOfSilence(1), wavOfSilence(1)), 10_000)).rejects.toMatchObject({
    code: 'payload-too-large',
  });
  expect(await readdir(folder)).toEqual([]);
});

test('an upload that breaks off leaves the old file as it was', async () => {
  await library.store('x.wav', bytes(wavOfSilence(1)), LIMIT);
  const broken = Readable.from(
    (async function* () {
      yield wavOfSilence(2).subarray(0, 5000);
      throw new Error('connection reset');
    })(),
  );
  await expect(library.store('x.wav', broken, LIMIT)).rejects.toThrow('connection reset');
  expect(await library.list()).toMatchObject([{ path: 'x.wav', durationS: 1 }]);
  expect(await readdir(folder)).toEqual(['x.wav']);
});

test('a full disk is said as that', async () => {
  const full = Readable.from(
    (async function* () {
      yield Buffer.alloc(10);
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    })(),
  );
  await expect(library.store('x.wav', full, LIMIT)).rejects.toMatchObject({
    code: 'storage-failed',
    message: 'The disk is full; "x.wav" was not kept',
  });
});

test('a disk that takes nothing is said as that', async () => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.alloc(10);
      throw Object.assign(new Error('EROFS: read-only file system, write'), { code: 'EROFS', syscall: 'write' });
    })(),
  );
  await expect(library.store('x.wav', broken, LIMIT)).rejects.toMatchObject({
    code: 'storage-failed',
    message: '"x.wav" could not be kept (EROFS)',
  });
});

test('a file of the same name is replaced, and its tags are read anew', async () => {
  await library.store('x.wav', bytes(wavOfSilence(1)), LIMIT);
  await library.store('x.wav', bytes(wavOfSilence(3)), LIMIT);
  expect(await library.list()).toMatchObject([{ path: 'x.wav', durationS: 3 }]);
});

test('tags are kept while a file does not change', async () => {
  const file = join(folder, 'x.wav');
  await writeFile(file, wavOfSilence(1));
  const time = new Date('2026-01-01T00:00:00Z');
  await utimes(file, time, time);
  expect(await library.list()).toMatchObject([{ durationS: 1 }]);
  await writeFile(file, Buffer.alloc(wavOfSilence(1).length));
  await utimes(file, time, time);
  expect(await library.list()).toMatchObject([{ durationS: 1 }]);
  await utimes(file, new Date(), new Date());
  expect(await library.list()).toMatchObject([{ durationS: null, title: 'x' }]);
});

test('tags are read anew when that is asked for', async () => {
  const file = join(folder, 'x.wav');
  const time = new Date('2026-01-01T00:00:00Z');
  await writeFile(file, wavOfSilence(1));
  await utimes(file, time, time);
  await library.list();
  await writeFile(file, Buffer.alloc(wavOfSilence(1).length));
  await utimes(file, time, time);
  expect(await library.rescan()).toBe(1);
  expect(await library.list()).toMatchObject([{ durationS: null }]);
});

test.each(['../x.wav', 'a/../../x.wav', '/x.wav', '.x.wav', 'a\\b.wav', 'CON.wav', 'a\nb.wav'])('%j is stored nowhere', async (path) => {
  await expect(library.store(path, bytes(wavOfSilence(1)), LIMIT)).rejects.toMatchObject({ code: 'invalid-value' });
  expect(await readdir(root)).toEqual(['media']);
  expect(await readdir(folder)).toEqual([]);
});

test('a link out of the library is no way out, for reading, writing or deleting', async () => {
  const secret = join(root, 'secret.wav');
  await writeFile(secret, wavOfSilence(1));
  await symlink(secret, join(folder, 'link.wav'));
  await symlink(root, join(folder, 'up'));
  await expect(library.find('link.wav')).rejects.toMatchObject({ code: 'not-found' });
  await expect(library.erase('link.wav')).rejects.toMatchObject({ code: 'not-found' });
  await expect(library.store('up/new.wav', bytes(wavOfSilence(1)), LIMIT)).rejects.toMatchObject({ code: 'not-found' });
  expect(await readFile(secret)).toEqual(Buffer.from(wavOfSilence(1)));
  expect(await readdir(root)).toEqual(['media', 'secret.wav']);
  expect(await library.list()).toEqual([]);
});

test('a deleted file is gone; one that is not there is said', async () => {
  await library.store('x.wav', bytes(wavOfSilence(1)), LIMIT);
  await library.erase('x.wav');
  await expect(library.erase('x.wav')).rejects.toMatchObject({ code: 'not-found', message: 'There is no file "x.wav" in the library' });
  await expect(library.find('x.wav')).rejects.toMatchObject({ code: 'not-found' });
});

test('a name that is a folder is refused', async () => {
  await mkdir(join(folder, 'x.wav'));
  await expect(library.store('x.wav', bytes(wavOfSilence(1)), LIMIT)).rejects.toMatchObject({ code: 'invalid-value' });
  await expect(library.find('x.wav')).rejects.toMatchObject({ code: 'not-found' });
});

test('hidden files and what is no sound are not listed; leftovers of a power cut are cleared', async () => {
  await mkdir(join(folder, '.player'));
  await writeFile(join(folder, '.player', 'x.wav'), wavOfSilence(1));
  await writeFile(join(folder, 'notes.txt'), 'x');
  await writeFile(join(folder, '.upload-7'), wavOfSilence(1));
  await library.start();
  expect(await library.list()).toEqual([]);
  expect((await readdir(folder)).sort()).toEqual(['.player', 'notes.txt']);
});
