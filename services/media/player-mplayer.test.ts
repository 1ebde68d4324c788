import { type FakeClock, fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { type SimulatedMplayer, type SimulatedProcesses, type SimulatedTrack, simulatedProcesses } from './mplayer-simulated.ts';
import type { PlayerEvent } from './player.ts';
import { MplayerPlayer } from './player-mplayer.ts';

interface Bench {
  player: MplayerPlayer;
  clock: FakeClock;
  processes: SimulatedProcesses;
  events: PlayerEvent[];
  mplayer(): SimulatedMplayer;
}

function bench(tracks: Record<string, SimulatedTrack> = { '/a.wav': { lengthS: 100 } }): Bench {
  const clock = fakeClock();
  const processes = simulatedProcesses(clock, (source) => tracks[source]);
  const player = new MplayerPlayer({ processes, clock, log: pino({ level: 'silent' }), outputArguments: async () => ['-ao', 'null'] });
  const events: PlayerEvent[] = [];
  player.onEvent((event) => events.push(event));
  const mplayer = () => {
    const newest = processes.started.at(-1);
    if (!newest) throw new Error('no mplayer was started');
    return newest;
  };
  return { player, clock, processes, events, mplayer };
}

const load = (source: string) => ({ source, positionS: 0, volume: 50, withinMs: 5000 });
const signal = new AbortController().signal;
/** Awaits what needs time, while time goes on. */
async function within<T>(clock: FakeClock, ms: number, promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const settled = Promise.allSettled([promise]);
  await clock.advance(ms);
  const [result] = await settled;
  return result;
}

test('mplayer starts with the first load, at silence, and the volume is said when the track has started', async () => {
  const { player, processes, mplayer } = bench();
  expect(processes.started).toHaveLength(0);
  await player.load(load('/a.wav'), signal);
  expect(processes.arguments[0]?.join(' ')).toMatch(/-slave -idle .*-noconfig all .*-volume 0 .*-ao null$/);
  await Promise.resolve();
  expect(mplayer().volume).toBe(50);
  const [, afterLoad = ''] = mplayer().written.split('loadfile "/a.wav"\n');
  expect(afterLoad).toMatch(/volume 50 1\n$/);
});

test('a missing mplayer is said, and found when it is installed later', async () => {
  const { player, processes } = bench();
  processes.installed = false;
  expect(await player.installed()).toBe(false);
  await expect(player.load(load('/a.wav'), signal)).rejects.toMatchObject({ code: 'player-missing' });
  processes.installed = true;
  await player.load(load('/a.wav'), signal);
  expect(await player.installed()).toBe(true);
});

test('a death of mplayer is told once, and the next load starts another', async () => {
  const { player, processes, mplayer } = bench();
  const sound = await player.load(load('/a.wav'), signal);
  mplayer().kill();
  expect(await sound.over).toEqual({ type: 'died', reason: 'it ended with signal SIGKILL' });
  expect(await player.position()).toBeNull();
  await player.load(load('/a.wav'), signal);
  expect(processes.started).toHaveLength(2);
});

test('a question in flight when mplayer dies fails', async () => {
  const { player, clock, mplayer } = bench();
  await player.load(load('/a.wav'), signal);
  mplayer().frozen = true;
  const asked = player.position();
  await clock.advance(10);
  mplayer().kill();
  await expect(asked).rejects.toMatchObject({ code: 'player-failed', message: /mplayer is gone/ });
});

test('one question is in flight at a time', async () => {
  const { player, clock, mplayer } = bench();
  await player.load(load('/a.wav'), signal);
  mplayer().frozen = true;
  mplayer().written = '';
  const answers = Promise.all([player.position(), player.durationS(), player.position()]);
  await clock.advance(10);
  expect(mplayer().written).toBe('pausing_keep_force get_property time_pos\n');
  mplayer().thaw();
  expect((await answers).map((value) => Math.round(value ?? -1))).toEqual([0, 100, 0]);
});

test('an answer that comes late is not taken for that of the next question', async () => {
  const { player, clock, mplayer } = bench({ '/live': {} });
  await player.load(load('/live'), signal);
  mplayer().frozen = true;
  // a stream has no length: the late answer is an error without a name
  expect((await within(clock, 1000, player.durationS())).status).toBe('rejected');
  const asked = player.position();
  await clock.advance(10);
  mplayer().thaw();
  expect(await asked).toBeCloseTo(1, 1);
});

test('three silences end an mplayer that hangs', async () => {
  const { player, clock, mplayer } = bench();
  const sound = await player.load(load('/a.wav'), signal);
  mplayer().frozen = true;
  for (let i = 0; i < 3; i++) expect(await within(clock, 1000, player.position())).toMatchObject({ status: 'rejected' });
  expect(await sound.over).toEqual({ type: 'died', reason: 'it left 3 questions unanswered' });
});

test('a silence between answers does not count', async () => {
  const { player, clock, processes, mplayer } = bench();
  await player.load(load('/a.wav'), signal);
  for (let i = 0; i < 5; i++) {
    mplayer().frozen = true;
    await within(clock, 1000, player.position());
    mplayer().thaw();
    expect(await player.position()).not.toBeNull();
  }
  expect(processes.started).toHaveLength(1);
});

test('a stream that does not open within its time fails, and mplayer opens the next', async () => {
  const { player, clock, processes } = bench({ '/hangs': { hangs: true }, '/a.wav': { lengthS: 9 } });
  const result = await within(clock, 6000, player.load(load('/hangs'), signal));
  expect(result).toMatchObject({ status: 'rejected', reason: { code: 'player-failed', message: 'no sound after 5 s' } });
  await player.load(load('/a.wav'), signal);
  expect(processes.started).toHaveLength(1);
});

test('an opening that mplayer does not leave ends mplayer', async () => {
  const { player, clock, processes, mplayer } = bench({ '/hangs': { hangs: true }, '/a.wav': { lengthS: 9 } });
  const loading = player.load(load('/hangs'), signal);
  const settled = Promise.allSettled([loading]);
  await clock.advance(100);
  mplayer().frozen = true;
  await clock.advance(7000);
  expect(await settled).toMatchObject([{ status: 'rejected' }]);
  await player.load(load('/a.wav'), signal);
  expect(processes.started).toHaveLength(2);
});

test('an opening that is called off leaves at once, and the next load follows', async () => {
  const { player, clock } = bench({ '/hangs': { hangs: true }, '/a.wav': { lengthS: 9 } });
  const cancel = new AbortController();
  const first = Promise.allSettled([player.load(load('/hangs'), cancel.signal)]);
  await clock.advance(300);
  cancel.abort();
  await player.load(load('/a.wav'), signal);
  expect(await first).toMatchObject([{ status: 'rejected', reason: { name: 'AbortError' } }]);
});

test('titles, the station and the output are told, a foreign charset made readable', async () => {
  const icy = Buffer.concat([Buffer.from("Name   : Radio\n\nICY Info: StreamTitle='Bj"), Buffer.from([0xf6]), Buffer.from("rk';\n")]);
  const { player, events } = bench({ '/live': { says: icy } });
  await player.load(load('/live'), signal);
  expect(events).toEqual([
    { type: 'station', name: 'Radio' },
    { type: 'stream-title', title: 'Björk' },
    { type: 'output', driver: 'null' },
  ]);
});

test('why a file cannot be opened comes from stderr of this load, not of an earlier one', async () => {
  const { player, clock } = bench({ '/refused': { fails: 'connect error: Connection refused' }, '/odd': { fails: '' } });
  expect(await within(clock, 100, player.load(load('/refused'), signal))).toMatchObject({
    reason: { message: 'the server refuses the connection' },
  });
  expect(await within(clock, 100, player.load(load('/odd'), signal))).toMatchObject({
    reason: { message: 'it is no sound that mplayer knows' },
  });
});

test('an mplayer that says nothing after its start is ended', async () => {
  const clock = fakeClock();
  const processes = simulatedProcesses(clock, () => ({}));
  const { spawn } = processes;
  processes.spawn = (program, args) => {
    const mplayer = spawn(program, args) as SimulatedMplayer;
    mplayer.frozen = true;
    return mplayer;
  };
  const player = new MplayerPlayer({ processes, clock, log: pino({ level: 'silent' }), outputArguments: async () => [] });
  expect(await within(clock, 21_000, player.load(load('/a.wav'), signal))).toMatchObject({
    status: 'rejected',
    reason: { code: 'player-failed' },
  });
  await expect(processes.started[0]?.ended).resolves.toMatchObject({ signal: 'SIGKILL' });
});

test('a program that cannot be started fails with the cause', async () => {
  const { player, clock, processes, mplayer } = bench();
  const loading = within(clock, 10, player.load(load('/a.wav'), signal));
  for (let turn = 0; turn < 5 && processes.started.length === 0; turn++) await Promise.resolve();
  mplayer().frozen = true;
  mplayer().fail(new Error('spawn EACCES'));
  expect(await loading).toMatchObject({ status: 'rejected', reason: { code: 'player-failed', message: /EACCES/ } });
});
