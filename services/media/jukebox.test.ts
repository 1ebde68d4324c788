import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Jukebox } from './jukebox.ts';
import { Library } from './library.ts';
import { FRESH, Playlists, Radios } from './memory.ts';
import { Playback } from './playback.ts';
import { SimulatedPlayer } from './player-simulated.ts';

async function begin() {
  const folder = await mkdtemp(join(tmpdir(), 'ledge-jukebox-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const log = pino({ level: 'silent' });
  const clock = fakeClock();
  let ids = 0;
  const newId = () => `id-${++ids}`;
  const playback = new Playback({
    player: new SimulatedPlayer(clock, () => ({})),
    clock,
    log,
    fileOf: async (path) => path,
    settings: () => ({ connectTimeoutS: 8, savePositionS: 60 }),
    output: { name: 'null', fault: null, opened: () => {} },
    changed: () => {},
    remember: () => {},
    trackStarted: () => {},
    failed: () => {},
  });
  await playback.start(FRESH);
  const shelves = { library: new Library(folder, newId), playlists: new Playlists(folder, log), radios: new Radios(folder, log) };
  const jukebox = new Jukebox(shelves, playback, newId);
  const sources = () => playback.state().queue.map(({ source }) => source);
  return { jukebox, playback, sources };
}
const jazz = { id: 'jazz', name: 'Jazz', url: 'http://radio.example/jazz' };
const news = { id: 'news', name: 'News', url: 'http://radio.example/news' };

test('a station plays at once, gives its place to the next one, and leaves the rest of the queue as it is', async () => {
  const { jukebox, playback, sources } = await begin();
  jukebox.saveRadio(jazz);
  jukebox.saveRadio(news);
  playback.enqueue(await jukebox.track('http://podcast.example/1'));
  await playback.play();
  await jukebox.playRadio('jazz');
  expect(playback.state()).toMatchObject({ state: 'playing', track: { title: 'Jazz', source: jazz.url } });
  await jukebox.playRadio('news');
  expect(playback.state()).toMatchObject({ state: 'playing', track: { title: 'News', source: news.url } });
  expect(sources()).toEqual(['http://podcast.example/1', news.url]);
  await jukebox.playRadio('news');
  expect(sources()).toEqual(['http://podcast.example/1', news.url]);
  await playback.halt();
});

test('an unknown station cannot be played', async () => {
  const { jukebox } = await begin();
  await expect(jukebox.playRadio('jazz')).rejects.toMatchObject({ code: 'not-found', message: 'There is no radio "jazz"' });
});

test.each(['radio.example/live', 'file:///etc/passwd', 'http://a b/', 'http://radio\n.example/', 'albums/one.mp3'])(
  'the address %j is refused for a station as it is for the queue, and nothing is stored',
  async (url) => {
    const { jukebox } = await begin();
    expect(() => jukebox.saveRadio({ ...jazz, url })).toThrow(/^url is ".*"; an? .* is wanted|^url is .*; the name/);
    expect(jukebox.radios.list()).toEqual([]);
  },
);

test('a station is changed by its id, and its address is kept as it is sent', async () => {
  const { jukebox } = await begin();
  jukebox.saveRadio(jazz);
  expect(jukebox.saveRadio({ ...jazz, name: 'Smooth', url: 'HTTP://Radio.example/a b#top' })).toEqual({
    id: 'jazz',
    name: 'Smooth',
    url: 'http://radio.example/a%20b',
  });
  expect(jukebox.radios.list()).toHaveLength(1);
});
