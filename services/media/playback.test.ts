import type { Track } from '@ledge/contract';
import { Problem } from '@ledge/contract';
import { type FakeClock, fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { FRESH, type Remembered } from './memory.ts';
import { Playback } from './playback.ts';
import { SimulatedPlayer, type SimulatedSource } from './player-simulated.ts';

const SOURCES: Record<string, SimulatedSource> = {
  '/a.mp3': { lengthS: 10 },
  '/b.mp3': { lengthS: 10 },
  '/c.mp3': { lengthS: 10 },
  '/bad.mp3': { fails: 'it is no sound that mplayer knows' },
  'http://radio/': {},
  'http://podcast/': { lengthS: 100 },
  'http://silent/': { hangs: true },
};
const track = (source: string): Track => ({ id: source, source, title: source.replace('.mp3', ''), durationS: null });

interface Bench {
  playback: Playback;
  player: SimulatedPlayer;
  clock: FakeClock;
  sources: Record<string, SimulatedSource>;
  started: string[];
  failed: string[];
  remembered: Remembered[];
}

async function bench(
  sources: readonly string[] = [],
  remembered: Partial<Remembered> = {},
  { present = true }: { present?: boolean } = {},
): Promise<Bench> {
  const clock = fakeClock();
  const all = { ...SOURCES };
  const player = new SimulatedPlayer(clock, (source) => all[source]);
  player.present = present;
  const made: Omit<Bench, 'playback'> = { player, clock, sources: all, started: [], failed: [], remembered: [] };
  const playback = new Playback({
    player,
    clock,
    log: pino({ level: 'silent' }),
    fileOf: async (path) => {
      if (path === 'gone.mp3') throw new Problem('not-found', 'There is no file "gone.mp3" in the library');
      return `/${path}`;
    },
    settings: () => ({ connectTimeoutS: 8, savePositionS: 60 }),
    output: { name: 'null', fault: null, opened: () => {} },
    changed: () => {},
    remember: () => made.remembered.push(playback.remembered()),
    trackStarted: ({ title }) => made.started.push(title),
    failed: (message) => made.failed.push(message),
  });
  await playback.start({ ...FRESH, queue: sources.map(track), ...remembered });
  await clock.advance(0);
  return { playback, ...made };
}

test('a queue plays track after track, then stops', async () => {
  const { playback, clock, started } = await bench(['a.mp3', 'b.mp3']);
  await playback.play();
  expect(playback.state()).toMatchObject({ state: 'playing', index: 0, durationS: 10 });
  await clock.advance(4000);
  expect(playback.state().positionS).toBeCloseTo(4, 1);
  await clock.advance(7000);
  expect(playback.state()).toMatchObject({ state: 'playing', index: 1, positionS: 1 });
  await clock.advance(10_000);
  expect(playback.state()).toMatchObject({ state: 'stopped', index: 1, positionS: null });
  expect(started).toEqual(['a', 'b']);
});

test.each([
  ['one', [0, 0, 0]],
  ['all', [1, 0, 1]],
] as const)('repeating %s goes on', async (repeat, indexes) => {
  const { playback, clock } = await bench(['a.mp3', 'b.mp3']);
  playback.setRepeat(repeat);
  await playback.play();
  for (const index of indexes) {
    await clock.advance(10_000);
    expect(playback.state()).toMatchObject({ state: 'playing', index });
  }
});

test('pause holds the position for as long as wanted, and going on begins there', async () => {
  const { playback, player, clock } = await bench(['a.mp3']);
  await playback.play();
  await clock.advance(3000);
  await playback.pause();
  await clock.advance(20_000);
  expect(playback.state()).toMatchObject({ state: 'paused', positionS: 3 });
  await playback.play();
  await clock.advance(1000);
  expect(playback.state()).toMatchObject({ state: 'playing', positionS: 4 });
  expect(player.loads).toHaveLength(1);
});

test('after a long pause the player is let go, and the track goes on from there all the same', async () => {
  const { playback, player, clock } = await bench(['a.mp3']);
  await playback.play();
  await clock.advance(3000);
  await playback.pause();
  await clock.advance(61_000);
  expect(await player.durationS()).toBeNull();
  await playback.play();
  expect(player.loads.at(-1)).toMatchObject({ source: '/a.mp3', positionS: 3 });
  await clock.advance(1000);
  expect(playback.state()).toMatchObject({ state: 'playing', positionS: 4 });
});

test('a killed player is started again at once with the same track, position, volume and mute', async () => {
  const { playback, player, clock, started } = await bench(['a.mp3', 'b.mp3']);
  await playback.setVolume(37);
  await playback.play();
  await clock.advance(4000);
  player.die();
  await clock.advance(600);
  expect(player.loads.at(-1)).toMatchObject({ source: '/a.mp3', volume: 37 });
  expect(player.loads.at(-1)?.positionS).toBeCloseTo(4, 0);
  expect(playback.state()).toMatchObject({ state: 'playing', index: 0, volume: 37 });
  await playback.setMuted(true);
  player.die();
  await clock.advance(600);
  expect(player.volume).toBe(0);
  expect(playback.state()).toMatchObject({ muted: true, volume: 37 });
  expect(started).toEqual(['a']);
});

test('a player killed while paused stays silent until it is asked to go on', async () => {
  const { playback, player, clock } = await bench(['a.mp3']);
  await playback.play();
  await clock.advance(4000);
  await playback.pause();
  player.die();
  await clock.advance(5000);
  expect(playback.state()).toMatchObject({ state: 'paused', positionS: 4 });
  expect(player.loads).toHaveLength(1);
  await playback.play();
  expect(player.loads.at(-1)).toMatchObject({ positionS: 4 });
});

test('a file that kills the player each time is skipped', async () => {
  const { playback, player, clock, failed } = await bench(['a.mp3', 'b.mp3']);
  const { load } = player;
  player.load = async function (request, signal) {
    const sound = await load.call(this, request, signal);
    if (request.source === '/a.mp3') this.die();
    return sound;
  };
  await playback.play();
  await clock.advance(100);
  expect(playback.state()).toMatchObject({ state: 'playing', index: 1 });
  expect(failed).toEqual([expect.stringContaining('a cannot be played')]);
});

test('what cannot be played is skipped and said; a queue of nothing else stops', async () => {
  const { playback, clock, failed } = await bench(['bad.mp3', 'gone.mp3', 'a.mp3']);
  playback.setRepeat('all');
  await playback.play();
  expect(playback.state()).toMatchObject({ state: 'playing', index: 2 });
  expect(failed).toHaveLength(2);
  await playback.dequeue('a.mp3');
  await clock.advance(100);
  expect(playback.state()).toMatchObject({ state: 'stopped', fault: expect.stringContaining('cannot be played') });
});

test('pressing play on nothing playable says why', async () => {
  const { playback } = await bench(['bad.mp3']);
  await expect(playback.play()).rejects.toMatchObject({ code: 'player-failed' });
  await expect((await bench()).playback.play()).rejects.toThrow('The queue is empty');
  await expect(playback.play(7)).rejects.toThrow('index is 7; 0 to 0 is wanted');
});

test('without mplayer the service says so, lives, and plays when it is there', async () => {
  const { playback, player, clock } = await bench(['a.mp3']);
  player.present = false;
  await clock.advance(2000);
  expect(playback.state().fault).toBe('mplayer is not installed.');
  await expect(playback.play()).rejects.toMatchObject({ code: 'player-missing' });
  expect(playback.state().state).toBe('stopped');
  player.present = true;
  await clock.advance(2000);
  expect(playback.state().fault).toBeNull();
  await playback.play();
  expect(playback.state().state).toBe('playing');
});

test('what played before a restart plays on as soon as mplayer is installed', async () => {
  const { playback, player, clock } = await bench(['a.mp3'], { index: 0, mode: 'playing', positionS: 6, volume: 20 }, { present: false });
  expect(playback.state()).toMatchObject({ state: 'connecting', fault: 'mplayer is not installed.' });
  player.present = true;
  await clock.advance(2000);
  expect(player.loads).toMatchObject([{ source: '/a.mp3', positionS: 6, volume: 20 }]);
  expect(playback.state()).toMatchObject({ state: 'playing', fault: null });
});

test('a player that dies while its program is replaced goes on where it was when that is there again', async () => {
  const { playback, player, clock } = await bench(['a.mp3']);
  await playback.play();
  await clock.advance(4000);
  player.present = false;
  player.die();
  await clock.advance(5000);
  expect(playback.state()).toMatchObject({ state: 'connecting', positionS: 4, fault: 'mplayer is not installed.' });
  player.present = true;
  await clock.advance(2000);
  expect(playback.state()).toMatchObject({ state: 'playing', fault: null });
  expect(player.loads.at(-1)?.positionS).toBeCloseTo(4, 0);
});

test('what was paused before a restart is paused after it, and makes no sound', async () => {
  const { playback, player } = await bench(['a.mp3', 'b.mp3'], { index: 1, mode: 'paused', positionS: 6 });
  expect(player.loads).toHaveLength(0);
  expect(playback.state()).toMatchObject({ state: 'paused', index: 1, positionS: 6 });
  await playback.play();
  expect(player.loads).toMatchObject([{ source: '/b.mp3', positionS: 6 }]);
});

test('a radio that breaks off is connected again, soon and then less often, and says so meanwhile', async () => {
  const { playback, player, clock, sources, failed } = await bench(['http://radio/']);
  await playback.play();
  await clock.advance(20_000);
  expect(playback.state().state).toBe('playing');
  sources['http://radio/'] = { fails: 'the server refuses the connection' };
  player.drop();
  await clock.advance(100);
  expect(playback.state()).toMatchObject({ state: 'connecting', fault: expect.stringContaining('the stream broke off') });
  await clock.advance(60_000);
  const tries = player.loads.length;
  expect(tries).toBeGreaterThan(15);
  expect(tries).toBeLessThan(30);
  expect(playback.state()).toMatchObject({ state: 'connecting', fault: expect.stringContaining('refuses') });
  expect(failed).toHaveLength(1);
  sources['http://radio/'] = {};
  await clock.advance(3000);
  expect(playback.state()).toMatchObject({ state: 'playing', fault: null });
});

test('a stream that stalls is not called playing, and is opened anew after five seconds', async () => {
  const { playback, player, clock } = await bench(['http://radio/']);
  await playback.play();
  await clock.advance(3000);
  player.stalled = true;
  await clock.advance(2500);
  expect(playback.state().state).toBe('connecting');
  expect(player.loads).toHaveLength(1);
  player.stalled = false;
  await clock.advance(500);
  expect(playback.state().state).toBe('playing');
  player.stalled = true;
  await clock.advance(7000);
  expect(player.loads.length).toBeGreaterThan(1);
});

test('a short hiccup changes nothing', async () => {
  const { playback, player, clock } = await bench(['http://radio/']);
  await playback.play();
  await clock.advance(3000);
  player.stalled = true;
  await clock.advance(1000);
  player.stalled = false;
  await clock.advance(600);
  expect(playback.state().state).toBe('playing');
  expect(player.loads).toHaveLength(1);
});

test('a paused radio is left, and connected anew', async () => {
  const { playback, player, clock } = await bench(['http://radio/']);
  await playback.play();
  await clock.advance(3000);
  await playback.pause();
  expect(playback.state().state).toBe('paused');
  expect(await player.position()).toBeNull();
  await playback.play();
  await clock.advance(100);
  expect(playback.state().state).toBe('playing');
  expect(player.loads).toMatchObject([{ positionS: 0 }, { positionS: 0 }]);
});

test('a recording on a server ends as a file does, but not before its end', async () => {
  const { playback, player, clock } = await bench(['http://podcast/', 'a.mp3']);
  await playback.play();
  await clock.advance(40_000);
  player.drop();
  await clock.advance(1000);
  expect(player.loads.at(-1)).toMatchObject({ source: 'http://podcast/' });
  expect(player.loads.at(-1)?.positionS).toBeCloseTo(40, 0);
  await clock.advance(61_000);
  expect(playback.state()).toMatchObject({ state: 'playing', index: 1 });
});

test('a station that keeps silent does not keep other commands waiting', async () => {
  const { playback, clock } = await bench(['http://silent/', 'a.mp3']);
  await playback.play();
  await clock.advance(1000);
  expect(playback.state().state).toBe('connecting');
  await playback.next();
  expect(playback.state()).toMatchObject({ state: 'playing', index: 1 });
});

test('a station is called as it calls itself unless somebody named it', async () => {
  const { playback, player } = await bench();
  playback.enqueue({ ...track('http://radio/'), title: 'radio' });
  await playback.play();
  player.tell({ type: 'station', name: 'Radio One' });
  player.tell({ type: 'stream-title', title: 'So What' });
  expect(playback.state()).toMatchObject({ track: { title: 'Radio One' }, streamTitle: 'So What' });
  await playback.halt();
  expect(playback.state().streamTitle).toBeNull();
});

test('seeking is absolute, works on a held track too, and names what it cannot do', async () => {
  const { playback, clock } = await bench(['a.mp3', 'http://radio/']);
  await expect(playback.seek(1)).rejects.toMatchObject({ code: 'invalid-value' });
  await playback.play();
  await playback.seek(7);
  await clock.advance(1000);
  expect(playback.state().positionS).toBeCloseTo(8, 1);
  await playback.pause();
  await playback.seek(2);
  expect(playback.state()).toMatchObject({ state: 'paused', positionS: 2 });
  await expect(playback.seek(11)).rejects.toThrow('positionS is 11; at most 10 is wanted');
  await playback.play(1);
  await clock.advance(100);
  await expect(playback.seek(1)).rejects.toThrow('a station has no positions');
});

test('next and previous keep playing, keep a pause, and wait at the ends', async () => {
  const { playback, player } = await bench(['a.mp3', 'b.mp3']);
  await playback.play();
  await playback.next();
  expect(playback.state()).toMatchObject({ state: 'playing', index: 1 });
  await playback.pause();
  await playback.previous();
  expect(playback.state()).toMatchObject({ state: 'paused', index: 0, positionS: 0 });
  expect(player.loads).toHaveLength(2);
  await playback.previous();
  expect(playback.state().index).toBe(0);
  await playback.play(1);
  await playback.next();
  expect(playback.state()).toMatchObject({ state: 'stopped', index: 1 });
});

test('taking out the track that plays goes on with the next; an emptied queue is silent', async () => {
  const { playback, player, clock } = await bench(['a.mp3', 'b.mp3']);
  await playback.play();
  await playback.dequeue('a.mp3');
  await clock.advance(0);
  expect(playback.state()).toMatchObject({ state: 'playing', index: 0, track: { source: 'b.mp3' } });
  await playback.replace([]);
  expect(playback.state()).toMatchObject({ state: 'stopped', track: null, queue: [] });
  expect(await player.position()).toBeNull();
});

test('a source that is asked for now plays now, and is in the queue once', async () => {
  const { playback } = await bench(['a.mp3', 'b.mp3']);
  await playback.play();
  await playback.playNow(track('c.mp3'));
  expect(playback.state()).toMatchObject({ index: 1, track: { source: 'c.mp3' } });
  await playback.playNow({ ...track('c.mp3'), id: 'other' });
  expect(playback.state().queue.map(({ source }) => source)).toEqual(['a.mp3', 'c.mp3', 'b.mp3']);
});

test('the position is written down once a minute, not each second', async () => {
  const { playback, clock, sources, remembered } = await bench(['a.mp3']);
  sources['/a.mp3'] = { lengthS: 1000 };
  await playback.play();
  await clock.advance(200_000);
  expect(remembered.map(({ positionS }) => Math.round(positionS / 10))).toEqual([6, 12, 18]);
});

test('another output takes over where the sound was', async () => {
  const { playback, player, clock } = await bench(['a.mp3']);
  await playback.play();
  await clock.advance(5000);
  await playback.restartPlayer();
  await clock.advance(100);
  expect(player.loads.at(-1)?.positionS).toBeCloseTo(5, 1);
  expect(playback.state().state).toBe('playing');
});

test('the check passes while a station is tried again and again, and nothing is left running after stop', async () => {
  const { playback, clock, sources } = await bench(['http://radio/']);
  sources['http://radio/'] = { fails: 'no' };
  await playback.play();
  for (let i = 0; i < 10; i++) {
    await clock.advance(60_000);
    playback.check();
  }
  await playback.stop();
  expect(clock.pendingTimers).toBe(0);
});
