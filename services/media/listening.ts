import { Problem, type Track } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { Player } from './player.ts';
import { isAddress } from './source.ts';
import { Stall } from './stall.ts';

const POLL_EVERY_MS = 500;
const FILE_WITHIN_MS = 8000;
/** A stream of known length that breaks off earlier than this before its end has not ended: it was lost. */
const END_TOLERANCE_S = 3;

/** How a track stopped being heard. */
export type Outcome =
  | { type: 'ended' }
  /** It can be played again from where it was: the player died, or the stream broke. */
  | { type: 'lost'; problem: Problem }
  /** It cannot be opened. */
  | { type: 'failed'; problem: Problem };

export interface ListeningPorts {
  player: Player;
  clock: Clock;
  /** The file behind a library path. @throws Problem `not-found` */
  fileOf(path: string): Promise<string>;
  settings(): { connectTimeoutS: number; savePositionS: number };
}

/** What is told while a track is heard. */
export interface Listener {
  readonly held: boolean;
  /** 0 to 100, as it is wanted now. */
  readonly loudness: number;
  started(durationS: number | null): void;
  moved(positionS: number): void;
  sounding(sounding: boolean): void;
  /** The position is worth writing down. */
  remember(): void;
}

/**
 * Opens a track at a position and stays until it is not heard any more. What it tells stops when the signal ends it.
 * @throws Problem `player-missing`, or the signal's reason.
 */
export async function listen(track: Track, fromS: number, ports: ListeningPorts, to: Listener, signal: AbortSignal): Promise<Outcome> {
  const { player } = ports;
  const stream = isAddress(track.source);
  try {
    const source = stream ? track.source : await ports.fileOf(track.source);
    const withinMs = stream ? ports.settings().connectTimeoutS * 1000 : FILE_WITHIN_MS;
    const sound = await player.load({ source, positionS: fromS, volume: to.loudness, withinMs }, signal);
    const durationS = track.durationS ?? (await player.durationS().catch(() => null));
    signal.throwIfAborted();
    to.started(durationS);
    // what was set while the track was being opened
    await player.setVolume(to.loudness);
    const lastS = { value: fromS };
    const stopWatching = new AbortController();
    const watched = watch(ports, to, lastS, AbortSignal.any([signal, stopWatching.signal]));
    watched.catch(() => {});
    const over = await Promise.race([sound.over, watched]).finally(() => stopWatching.abort());
    signal.throwIfAborted();
    if (over instanceof Problem) return { type: 'lost', problem: over };
    if (over.type === 'died') return { type: 'lost', problem: new Problem('player-failed', `mplayer is gone: ${over.reason}`) };
    const whole = !stream || (durationS !== null && lastS.value >= durationS - END_TOLERANCE_S);
    return whole ? { type: 'ended' } : { type: 'lost', problem: new Problem('player-failed', 'the stream broke off') };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Problem) || error.code === 'player-missing') throw error;
    return { type: 'failed', problem: error };
  }
}

/** Follows the position. Resolves when it has stood still for too long. */
async function watch(ports: ListeningPorts, to: Listener, lastS: { value: number }, signal: AbortSignal): Promise<Problem> {
  const { player, clock, settings } = ports;
  const stall = new Stall(clock.monotonic());
  let savedMs = clock.monotonic();
  for (;;) {
    await clock.sleep(POLL_EVERY_MS, signal);
    if (to.held) {
      stall.excuse(clock.monotonic());
      continue;
    }
    const positionS = await player.position().catch(() => null);
    signal.throwIfAborted();
    if (to.held) continue;
    const verdict = stall.see(positionS, clock.monotonic());
    if (verdict === 'stalled') return new Problem('player-failed', 'no sound has come for 5 s');
    if (verdict === 'moving' && positionS !== null) {
      lastS.value = positionS;
      to.moved(positionS);
    }
    to.sounding(verdict !== 'quiet');
    if (clock.monotonic() - savedMs >= settings().savePositionS * 1000) {
      savedMs = clock.monotonic();
      to.remember();
    }
  }
}
