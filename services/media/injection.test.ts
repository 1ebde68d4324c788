import { Problem } from '@ledge/contract';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { hostileTexts } from './hostile.ts';
import { simulatedProcesses } from './mplayer-simulated.ts';
import { MplayerPlayer } from './player-mplayer.ts';
import { MAX_LINE_BYTES } from './protocol.ts';
import { isAddress, librarySegments, newLibrarySegments, streamAddress } from './source.ts';

const COUNT = 10_000;
const SEED = 20_261_122;
const OTHER_LINES = /^(?:stop|pausing_keep_force get_property osdlevel|pausing_keep_force volume \d+ 1)$/;

/** Reads one argument as input.c does; undefined when it would not be whole. */
function readBack(argument: string): string | undefined {
  const quote = argument[0];
  if (quote !== '"' && quote !== "'") return undefined;
  let end = argument.indexOf(quote, 1);
  while (end > 0 && argument[end - 1] === '\\') end = argument.indexOf(quote, end + 1);
  return end === argument.length - 1 ? argument.slice(1, end).replace(/\\(.)/gs, '$1') : undefined;
}

test(`of ${COUNT} hostile sources each is refused, or is one whole argument of one line`, async () => {
  const clock = fakeClock();
  const processes = simulatedProcesses(clock, () => ({ lengthS: 1000 }));
  const player = new MplayerPlayer({ processes, clock, log: pino({ level: 'silent' }), outputArguments: async () => [] });
  const signal = new AbortController().signal;
  await player.load({ source: '/first.wav', positionS: 0, volume: 1, withinMs: 1000 }, signal);
  const mplayer = processes.started[0];
  if (!mplayer) throw new Error('nothing was started');
  let said = 0;
  for (const source of hostileTexts(COUNT, SEED)) {
    mplayer.written = '';
    const refused = await player.load({ source, positionS: 0, volume: 1, withinMs: 1000 }, signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused !== undefined) {
      expect(refused).toBeInstanceOf(Problem);
      expect(mplayer.written).toBe('');
      continue;
    }
    const lines = mplayer.written.split('\n');
    expect(lines.pop()).toBe('');
    const loads = lines.filter((line) => !OTHER_LINES.test(line));
    expect(loads).toHaveLength(1);
    const [load = ''] = loads;
    expect(/\p{Cc}/u.test(load)).toBe(false);
    expect(Buffer.byteLength(load) + 1).toBeLessThanOrEqual(MAX_LINE_BYTES);
    expect(load.slice(0, 9)).toBe('loadfile ');
    expect(readBack(load.slice(9))).toBe(source);
    said += 1;
  }
  expect(processes.started).toHaveLength(1);
  expect(said).toBeGreaterThan(COUNT / 10);
  await player.close();
});

test(`of ${COUNT} hostile sources only http(s) addresses and paths inside the library are left`, () => {
  const count = { addresses: 0, paths: 0, refused: 0 };
  for (const source of hostileTexts(COUNT, SEED + 1)) {
    try {
      if (isAddress(source)) {
        const address = streamAddress(source);
        expect(/^https?:\/\/[\x21\x23-\x5b\x5d-\x7e]{1,2048}$/.test(address), address.slice(0, 100)).toBe(true);
        count.addresses += 1;
      } else {
        const path = librarySegments(source).join('/');
        expect(path.split('/').some((segment) => segment === '' || segment.startsWith('.'))).toBe(false);
        expect(/[\p{Cc}]/u.test(path)).toBe(false);
        count.paths += 1;
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      expect(error.code).toBe('invalid-value');
      count.refused += 1;
    }
  }
  for (const what of Object.values(count)) expect(what).toBeGreaterThan(100);
});

test.each(['file:///etc/passwd', 'mf://*.png', 'dvd://1', 'ffmpeg://http://x', 'FILE:///x', 'javascript:alert(1)//'])(
  'the address %j is refused',
  (source) => {
    expect(() => streamAddress(source)).toThrow(/http or https/);
  },
);

test.each([
  '../x.mp3',
  'a/../../x.mp3',
  '/etc/passwd',
  'a//b.mp3',
  '.hidden.mp3',
  'a/.upload-1',
  '',
  'a\nb.mp3',
  'a/b/c/d/e/f/g/h/i.mp3',
  `${'é'.repeat(150)}.mp3`,
])('the path %j is refused', (path) => {
  expect(() => librarySegments(path)).toThrow(Problem);
});

test.each(['a\\b.mp3', 'con.mp3', 'what?.mp3', 'a"b.mp3', 'x.mp3 ', 'dir./x.mp3'])('%j is no name for a new file', (path) => {
  expect(() => newLibrarySegments(path)).toThrow(/without </);
});

test('names of all scripts do', () => {
  expect(newLibrarySegments('Jazz/日本 ünï ☃ $(touch x) #1.mp3')).toEqual(['Jazz', '日本 ünï ☃ $(touch x) #1.mp3']);
});
