import { afterEach, expect, test } from 'vitest';
import type { Load, Player } from './player.ts';

/** What a player under test comes with: files to play, and a way to let time pass. */
export interface PlayerHarness {
  player: Player;
  /** A file of about 10 s, one of about 1 s, one that is no sound, and one that is not there. */
  long: string;
  short: string;
  broken: string;
  absent: string;
  /** Lets so much time pass. */
  wait(ms: number): Promise<void>;
  stop(): Promise<void>;
}

const POSITION_TOLERANCE_S = 0.3;
const never = new AbortController().signal;

/** What every {@link Player} keeps, real or simulated. `harness` is asked anew for each test. */
export function playerContract(harness: () => Promise<PlayerHarness>): void {
  let current: PlayerHarness | undefined;
  const begin = async () => {
    current = await harness();
    return current;
  };
  const loadOf = (source: string, rest: Partial<Load> = {}): Load => ({ source, positionS: 0, volume: 50, withinMs: 5000, ...rest });
  afterEach(async () => {
    await current?.stop();
    current = undefined;
  });

  test('the position advances with time while a track plays', async () => {
    const { player, long, wait } = await begin();
    await player.load(loadOf(long), never);
    const first = (await player.position()) ?? Number.NaN;
    await wait(1000);
    const second = (await player.position()) ?? Number.NaN;
    expect(Math.abs(second - first - 1)).toBeLessThan(POSITION_TOLERANCE_S);
  });

  test('pause holds the position, asking does not move it, and going on goes on from there', async () => {
    const { player, long, wait } = await begin();
    await player.load(loadOf(long), never);
    await wait(500);
    await player.setPaused(true);
    await player.setPaused(true);
    const held = await player.position();
    await wait(600);
    expect(await player.position()).toBe(held);
    await player.setPaused(false);
    await wait(500);
    const after = (await player.position()) ?? Number.NaN;
    expect(Math.abs(after - (held ?? Number.NaN) - 0.5)).toBeLessThan(POSITION_TOLERANCE_S);
  });

  test('seek goes to an absolute position, forward and back', async () => {
    const { player, long, wait } = await begin();
    await player.load(loadOf(long), never);
    for (const toS of [6, 2]) {
      await player.seek(toS);
      await wait(300);
      const there = (await player.position()) ?? Number.NaN;
      expect(Math.abs(there - toS - 0.3)).toBeLessThan(POSITION_TOLERANCE_S);
    }
  });

  test('a load begins at the position that it names', async () => {
    const { player, long, wait } = await begin();
    await player.load(loadOf(long, { positionS: 5 }), never);
    await wait(300);
    const there = (await player.position()) ?? Number.NaN;
    expect(Math.abs(there - 5.3)).toBeLessThan(POSITION_TOLERANCE_S);
  });

  test('the end of a track is told once it is over', async () => {
    const { player, short, wait } = await begin();
    const sound = await player.load(loadOf(short), never);
    await wait(2500);
    expect(await sound.over).toEqual({ type: 'ended' });
    expect(await player.position()).toBeNull();
  });

  test('a track that another one replaces, or that is stopped, has not ended', async () => {
    const { player, long, short } = await begin();
    const first = await player.load(loadOf(long), never);
    const second = await player.load(loadOf(short), never);
    expect(await first.over).toEqual({ type: 'replaced' });
    await player.halt();
    expect(await second.over).toEqual({ type: 'replaced' });
  });

  test('a question that has no answer is no end of a track', async () => {
    const { player, long } = await begin();
    const sound = await player.load(loadOf(long), never);
    await player.halt();
    expect(await player.position()).toBeNull();
    expect(await player.durationS()).toBeNull();
    expect(await sound.over).toEqual({ type: 'replaced' });
  });

  test('the length of a file is told', async () => {
    const { player, long } = await begin();
    await player.load(loadOf(long), never);
    expect(Math.round((await player.durationS()) ?? 0)).toBe(10);
  });

  test('what is not there or no sound fails with the reason, and the next load works', async () => {
    const { player, absent, broken, long } = await begin();
    await expect(player.load(loadOf(absent), never)).rejects.toMatchObject({ code: 'player-failed', message: 'the file is not there' });
    await expect(player.load(loadOf(broken), never)).rejects.toMatchObject({ code: 'player-failed' });
    await player.load(loadOf(long), never);
    expect(await player.position()).not.toBeNull();
  });

  test('a source with a control character is refused before anything is done', async () => {
    const { player, long } = await begin();
    await expect(player.load(loadOf(`${long}\nrun "touch x"`), never)).rejects.toMatchObject({ code: 'invalid-value' });
    expect(await player.position()).toBeNull();
  });

  test('without a track, controls do nothing', async () => {
    const { player } = await begin();
    await player.halt();
    await player.seek(3);
    await player.setVolume(30);
    await player.setPaused(true);
    expect(await player.position()).toBeNull();
  });

  test('after its end the player starts again with the next load', async () => {
    const { player, long } = await begin();
    const sound = await player.load(loadOf(long), never);
    await player.close();
    expect(await sound.over).toMatchObject({ type: 'died' });
    await player.load(loadOf(long), never);
    expect(await player.position()).not.toBeNull();
  });
}
