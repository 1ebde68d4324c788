import { Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { Load, Over, Player, PlayerEvent, Sound } from './player.ts';
import { quoted } from './protocol.ts';

export interface SimulatedSource {
  /** Undefined: a live stream. */
  lengthS?: number;
  /** Why it cannot be opened. */
  fails?: string;
  hangs?: boolean;
}

interface Playing {
  over: PromiseWithResolvers<Over>;
  lengthS: number | undefined;
  from: { s: number; atMs: number };
  paused: boolean;
  cancelEnd(): void;
}

/** A player that makes no sound and needs no program. It passes the same contract test as the real one. */
export class SimulatedPlayer implements Player {
  readonly #clock: Clock;
  readonly #sources: (source: string) => SimulatedSource | undefined;
  readonly #listeners = new Set<(event: PlayerEvent) => void>();
  #playing: Playing | undefined;
  /** Is it there? */
  present = true;
  /** Positions stand still, as when the network stalls. */
  stalled = false;
  volume = 0;
  readonly loads: Load[] = [];

  constructor(clock: Clock, sources: (source: string) => SimulatedSource | undefined) {
    this.#clock = clock;
    this.#sources = sources;
  }

  async installed(): Promise<boolean> {
    return this.present;
  }

  onEvent(listener: (event: PlayerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: PlayerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async load(load: Load, signal: AbortSignal): Promise<Sound> {
    quoted(load.source);
    signal.throwIfAborted();
    if (!this.present) throw new Problem('player-missing', 'mplayer is not installed');
    this.#end({ type: 'replaced' });
    this.loads.push(load);
    const source = this.#sources(load.source);
    if (!source) throw new Problem('player-failed', 'the file is not there');
    if (source.hangs) await this.#clock.sleep(load.withinMs, signal);
    if (source.hangs) throw new Problem('player-failed', `no sound after ${load.withinMs / 1000} s`);
    if (source.fails !== undefined) throw new Problem('player-failed', source.fails);
    const over = Promise.withResolvers<Over>();
    this.#playing = { over, lengthS: source.lengthS, from: { s: 0, atMs: 0 }, paused: false, cancelEnd: () => {} };
    this.volume = load.volume;
    this.tell({ type: 'output', driver: 'null' });
    this.#go(this.#playing, load.positionS);
    return { over: over.promise };
  }

  async halt(): Promise<void> {
    this.#end({ type: 'replaced' });
  }

  async setPaused(paused: boolean): Promise<void> {
    const playing = this.#playing;
    if (!playing || playing.paused === paused) return;
    const at = this.#positionOf(playing);
    playing.paused = paused;
    this.#go(playing, at);
  }

  async seek(positionS: number): Promise<void> {
    if (this.#playing) this.#go(this.#playing, positionS);
  }

  async setVolume(percent: number): Promise<void> {
    if (this.#playing) this.volume = percent;
  }

  async position(): Promise<number | null> {
    return this.#playing ? this.#positionOf(this.#playing) : null;
  }

  async durationS(): Promise<number | null> {
    return this.#playing?.lengthS ?? null;
  }

  async close(): Promise<void> {
    this.die('it was told to end');
  }

  /** As `kill -9` does. */
  die(reason = 'it ended with signal SIGKILL'): void {
    this.#end({ type: 'died', reason });
  }

  /** The stream breaks off, or the file is at its end. */
  drop(): void {
    this.#end({ type: 'ended' });
  }

  #positionOf({ from, paused }: Playing): number {
    return paused || this.stalled ? from.s : from.s + (this.#clock.monotonic() - from.atMs) / 1000;
  }

  #go(playing: Playing, fromS: number): void {
    playing.cancelEnd();
    playing.from = { s: fromS, atMs: this.#clock.monotonic() };
    if (playing.lengthS === undefined || playing.paused) return;
    playing.cancelEnd = this.#clock.after(Math.max(0, playing.lengthS - fromS) * 1000, () => this.#end({ type: 'ended' }));
  }

  #end(how: Over): void {
    this.#playing?.cancelEnd();
    this.#playing?.over.resolve(how);
    this.#playing = undefined;
  }
}
