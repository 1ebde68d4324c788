import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FRESH, Playlists, Radios, StateFile } from './memory.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledge-memory-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const log = pino({ level: 'silent' });
const track = { id: '1', source: 'a.mp3', title: 'a', durationS: 3 };

test('what was remembered is there after a restart', () => {
  const state = { ...FRESH, queue: [track], index: 0, volume: 12, mode: 'paused' as const, positionS: 1.5 };
  new StateFile(folder, fakeClock(), log).now(state);
  expect(new StateFile(folder, fakeClock(), log).load()).toEqual(state);
});

test('many changes are one write, and no change is none', async () => {
  const clock = fakeClock();
  const file = new StateFile(folder, clock, log);
  file.load();
  for (let volume = 0; volume < 50; volume++) file.soon(() => ({ ...FRESH, volume: 49 }));
  await expect(stat(join(folder, 'state.json'))).rejects.toThrow('ENOENT');
  await clock.advance(2000);
  expect(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8'))).toMatchObject({ volume: 49 });
  await rm(join(folder, 'state.json'));
  file.soon(() => ({ ...FRESH, volume: 49 }));
  await clock.advance(2000);
  await expect(stat(join(folder, 'state.json'))).rejects.toThrow('ENOENT');
});

test.each(['', '{', '{"volume":"loud"}'])('a damaged file (%j) is a fresh start', async (text) => {
  await writeFile(join(folder, 'state.json'), text);
  expect(new StateFile(folder, fakeClock(), log).load()).toEqual(FRESH);
});

test('playlists are stored, listed, read and removed by name', () => {
  const playlists = new Playlists(folder, log);
  playlists.put('Übung 2', [track]);
  playlists.put('Morning', [track, track]);
  expect(new Playlists(folder, log).list()).toEqual([
    { name: 'Morning', tracks: 2 },
    { name: 'Übung 2', tracks: 1 },
  ]);
  expect(playlists.get('Übung 2')).toEqual([track]);
  playlists.remove('Morning');
  expect(() => playlists.get('Morning')).toThrow('There is no playlist "Morning"');
  expect(() => playlists.remove('Morning')).toThrow('There is no playlist');
});

test.each(['constructor', 'toString', '__proto__'])('%s is a name like any other', (name) => {
  const playlists = new Playlists(folder, log);
  expect(() => playlists.get(name)).toThrow('There is no playlist');
});

test('radio stations are stored and listed by name, and a damaged file is an empty list', async () => {
  const jazz = { id: 'jazz', name: 'Jazz', url: 'http://radio.example/jazz' };
  const news = { id: 'a', name: 'Änderung', url: 'https://radio.example/news' };
  const radios = new Radios(folder, log);
  radios.put('jazz', jazz);
  radios.put('a', news);
  expect(new Radios(folder, log).list()).toEqual([news, jazz]);
  radios.remove('a');
  expect(radios.list()).toEqual([jazz]);
  expect(() => radios.get('a')).toThrow('There is no radio "a"');
  await writeFile(join(folder, 'radios.json'), '{"jazz":{"name":3}}');
  expect(radios.list()).toEqual([]);
});
