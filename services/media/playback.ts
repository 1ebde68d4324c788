import { type MediaState, Problem, shown, type Track } from '@ledge/contract';
import type { Logger } from '@ledge/kit';
import { type Listener, type ListeningPorts, listen, type Outcome } from './listening.ts';
import { FRESH, type Remembered } from './memory.ts';
import type { PlayerEvent } from './player.ts';
import { Queue, type Repeat } from './queue.ts';
import { isAddress } from './source.ts';

/** An idle mplayer holds 40 MB: it is let go, and started again when there is something to play. */
const LET_GO_AFTER_MS = 60_000;
const LOOK_FOR_PLAYER_EVERY_MS = 2000;
const RECONNECT_AFTER_MS = [500, 1000, 2000, 3000];
/** A file was lost so often in a row without any of it being heard: it is skipped. */
const MAX_LOSSES = 3;
export const MAX_QUEUE = 1000;
/** Longer than anything that the loop waits for: a connection, at most 60 s by the settings, or a player that does not listen. */
const MAX_LOOP_SILENCE_MS = 90_000;

export interface PlaybackPorts extends ListeningPorts {
  log: Logger;
  output: { readonly name: string; readonly fault: string | null; opened(driver: string): void };
  /** Something of {@link Playback.state} changed, other than that the position moved on. */
  changed(): void;
  /** The position is worth writing down. */
  remember(): void;
  trackStarted(track: Track): void;
  failed(message: string): void;
}

/** Told once when a start led to sound or to failure; waited for by whoever pressed play. */
type Report = PromiseWithResolvers<void>;

/** The queue, playing. One loop at a time carries the current track; each command that changes the track ends it and begins another. */
export class Playback {
  readonly #ports: PlaybackPorts;
  #queue = new Queue();
  #mode: Remembered['mode'] = 'stopped';
  #volume = FRESH.volume;
  #muted = FRESH.muted;
  #repeat: Repeat = FRESH.repeat;
  /** True while sound is really heard: what the state calls playing. */
  #sounding = false;
  /** The current track is open in the player, playing or held. */
  #loaded = false;
  #position = { s: 0, atMs: 0 };
  #durationS: number | null = null;
  /** A station: it has no positions. Known for sure when it sounds, as an address may also be a file's. */
  #live = false;
  #streamTitle: string | null = null;
  #fault: string | null = null;
  #missing = false;
  #announced: string | undefined;
  /** When the loop was last seen to move. */
  #aliveMs = 0;
  #attempt = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #giveBack: (() => void)[] = [];
  #cancelLetGo = () => {};
  readonly counters = { tracks: 0, failures: 0, reconnects: 0 };

  constructor(ports: PlaybackPorts) {
    this.#ports = ports;
  }

  /** Goes on where `remembered` says. */
  async start(remembered: Remembered): Promise<void> {
    const { clock, player } = this.#ports;
    this.#queue = new Queue(remembered.queue, remembered.index);
    this.#volume = remembered.volume;
    this.#muted = remembered.muted;
    this.#repeat = remembered.repeat;
    this.#setPosition(remembered.positionS);
    this.#giveBack = [player.onEvent((event) => this.#heard(event)), clock.every(LOOK_FOR_PLAYER_EVERY_MS, () => void this.#look())];
    await this.#look();
    if (!this.#queue.current) return;
    this.#mode = remembered.mode;
    if (this.#mode === 'playing') this.#begin(remembered.positionS);
  }

  async stop(): Promise<void> {
    for (const giveBack of this.#giveBack.splice(0)) giveBack();
    this.#cancelLetGo();
    this.#attempt.abort();
    await this.#ports.player.close();
    await this.#loop;
  }

  /** @throws when the loop that should carry a track has not moved for long. */
  check(): void {
    const sinceMs = this.#ports.clock.monotonic() - this.#aliveMs;
    if (this.#mode === 'playing' && sinceMs > MAX_LOOP_SILENCE_MS)
      throw new Error(`the player has not been looked after for ${Math.round(sinceMs / 1000)} s`);
  }

  state(): MediaState {
    const track = this.#queue.current ?? null;
    const idle = this.#mode === 'stopped';
    return {
      state: this.#mode === 'playing' && !this.#sounding ? 'connecting' : this.#mode,
      track,
      streamTitle: idle ? null : this.#streamTitle,
      positionS: track && !idle ? Math.round(this.positionS * 10) / 10 : null,
      durationS: track ? (track.durationS ?? this.#durationS) : null,
      volume: this.#volume,
      muted: this.#muted,
      repeat: this.#repeat,
      queue: [...this.#queue.tracks],
      index: this.#queue.index,
      output: this.#ports.output.name,
      fault: this.#missing ? 'mplayer is not installed.' : (this.#fault ?? this.#ports.output.fault),
    };
  }

  remembered(): Remembered {
    return {
      queue: [...this.#queue.tracks],
      index: this.#queue.index,
      volume: this.#volume,
      muted: this.#muted,
      repeat: this.#repeat,
      mode: this.#mode,
      positionS: this.#mode === 'stopped' || this.#live ? 0 : Math.round(this.positionS * 10) / 10,
    };
  }

  /** Where the track is now, seconds: as last asked, and on from there while it sounds. */
  get positionS(): number {
    const sinceMs = this.#sounding ? this.#ports.clock.monotonic() - this.#position.atMs : 0;
    return this.#position.s + sinceMs / 1000;
  }

  /**
   * Plays, or goes on. Resolves when a file sounds; a station is given time, the state says `connecting`.
   * @throws Problem `invalid-value` for a place that is not there, `player-missing`, `player-failed` when nothing in the queue can be played.
   */
  async play(index?: number): Promise<void> {
    const count = this.#queue.tracks.length;
    if (count === 0) throw new Problem('invalid-value', 'The queue is empty; a track in it is wanted');
    if (index !== undefined && !this.#queue.select(index)) {
      throw new Problem('invalid-value', `index is ${index}; 0 to ${count - 1} is wanted`);
    }
    if (index === undefined && this.#mode === 'playing') return;
    if (index === undefined && this.#mode === 'paused' && this.#loaded) {
      await this.#ports.player.setPaused(false);
      this.#cancelLetGo();
      this.#setPosition(this.#position.s);
      this.#aliveMs = this.#ports.clock.monotonic();
      this.#mode = 'playing';
      this.#sounding = true;
      return this.#changed();
    }
    if (!this.#queue.current) this.#queue.select(0);
    const resumeAtS = index === undefined && this.#mode === 'paused' ? this.#position.s : 0;
    this.#mode = 'playing';
    const report = Promise.withResolvers<void>();
    this.#begin(resumeAtS, report);
    await report.promise;
  }

  /** Holds. A station is left: its sound would be late for ever. */
  async pause(): Promise<void> {
    if (this.#mode !== 'playing') return;
    this.#setPosition(this.positionS);
    this.#mode = 'paused';
    this.#sounding = false;
    this.#changed();
    // an mplayer that does not listen is about to be ended: that is silence too
    if (this.#loaded && !this.#live) await this.#ports.player.setPaused(true).catch(() => {});
    else await this.#silence();
    this.#letGoLater();
  }

  async halt(): Promise<void> {
    this.#mode = 'stopped';
    this.#setPosition(0);
    this.#fault = null;
    this.#changed();
    await this.#silence();
    this.#letGoLater();
  }

  /** The next track; stops at the end of the queue. */
  async next(): Promise<void> {
    if (this.#queue.step(1, this.#repeat)) await this.#jumped();
    else await this.halt();
  }

  /** The track before; the first one begins again. */
  async previous(): Promise<void> {
    this.#queue.step(-1, this.#repeat);
    await this.#jumped();
  }

  /** @throws Problem `invalid-value` where there is no such position. */
  async seek(positionS: number): Promise<void> {
    const { durationS } = this.state();
    if (!this.#queue.current || this.#mode === 'stopped')
      throw new Problem('invalid-value', 'Nothing is playing; a track that plays or is held is wanted');
    if (this.#live) throw new Problem('invalid-value', `positionS is ${positionS}; a station has no positions`);
    if (durationS !== null && positionS > durationS) {
      throw new Problem('invalid-value', `positionS is ${positionS}; at most ${durationS} is wanted`);
    }
    if (this.#loaded) await this.#ports.player.seek(positionS);
    this.#setPosition(positionS);
    this.#changed();
  }

  async setVolume(volume: number): Promise<void> {
    this.#volume = volume;
    this.#changed();
    await this.#ports.player.setVolume(this.#loudness);
  }

  /** Muting is volume 0 for the player, which forgets its own mute with each track. */
  async setMuted(muted: boolean): Promise<void> {
    this.#muted = muted;
    this.#changed();
    await this.#ports.player.setVolume(this.#loudness);
  }

  setRepeat(repeat: Repeat): void {
    this.#repeat = repeat;
    this.#changed();
  }

  /** @throws Problem `invalid-value` when the queue is full. */
  enqueue(track: Track, at?: number): void {
    if (this.#queue.tracks.length >= MAX_QUEUE)
      throw new Problem('invalid-value', `The queue holds ${MAX_QUEUE} tracks, the most it takes`);
    this.#queue.insert(track, at);
    this.#changed();
  }

  /** Plays this next, at once; a track of that source that is in the queue already is jumped to. */
  async playNow(track: Track): Promise<void> {
    const there = this.#queue.tracks.findIndex((other) => other.source === track.source);
    const index = there >= 0 ? there : (this.#queue.index ?? -1) + 1;
    if (there < 0) this.enqueue(track, index);
    await this.play(index);
  }

  /** @throws Problem `not-found` */
  move(id: string, to: number): void {
    if (!this.#queue.move(id, to)) throw new Problem('not-found', `There is no track ${shown(id)} in the queue`);
    this.#changed();
  }

  /** Taking out the track that plays goes on with the one behind it. @throws Problem `not-found` */
  async dequeue(id: string): Promise<void> {
    const on = this.#queue.current;
    if (!this.#queue.remove(id)) throw new Problem('not-found', `There is no track ${shown(id)} in the queue`);
    this.#changed();
    if (on?.id !== id) return;
    if (!this.#queue.current) await this.halt();
    else if (this.#mode === 'playing') this.#begin(0);
    else await this.#jumped();
  }

  /** Another queue, not yet playing. */
  async replace(tracks: readonly Track[]): Promise<void> {
    this.#queue.replace(tracks);
    await this.halt();
  }

  /** Starts the player anew, as when another output was chosen; sound goes on where it was. */
  async restartPlayer(): Promise<void> {
    this.#setPosition(this.positionS);
    this.#sounding = false;
    await this.#silence();
    await this.#ports.player.close();
    if (this.#mode === 'playing') this.#begin(this.#position.s);
    this.#changed();
  }

  get #loudness(): number {
    return this.#muted ? 0 : this.#volume;
  }

  #setPosition(s: number): void {
    this.#position = { s, atMs: this.#ports.clock.monotonic() };
  }

  #changed(): void {
    this.#ports.changed();
  }

  /** Another track is the current one: plays on with it when something played, else waits at its beginning. */
  async #jumped(): Promise<void> {
    this.#newTrack();
    if (this.#mode === 'playing') return this.play(this.#queue.index ?? 0);
    await this.#silence();
    this.#changed();
  }

  /** Ends the loop and what it plays. */
  async #silence(): Promise<void> {
    this.#attempt.abort();
    this.#loaded = false;
    this.#sounding = false;
    await this.#ports.player.halt();
  }

  #letGoLater(): void {
    this.#cancelLetGo();
    this.#cancelLetGo = this.#ports.clock.after(LET_GO_AFTER_MS, () => {
      this.#attempt.abort();
      this.#loaded = false;
      void this.#ports.player.close();
    });
  }

  #begin(positionS: number, report?: Report): void {
    this.#attempt.abort();
    this.#cancelLetGo();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#sounding = false;
    this.#loaded = false;
    this.#fault = null;
    this.#newTrack();
    this.#setPosition(positionS);
    this.#aliveMs = this.#ports.clock.monotonic();
    this.#changed();
    this.#loop = this.#carry(attempt.signal, report).then(
      () => report?.resolve(),
      (error: unknown) => {
        if (attempt.signal.aborted) return report?.resolve();
        report?.reject(error);
        if (!(error instanceof Problem)) this.#ports.log.error({ err: error }, 'the playing loop ended');
      },
    );
  }

  /** What was known of the last track does not hold for the one that comes. */
  #newTrack(): void {
    this.#setPosition(0);
    this.#announced = undefined;
    this.#streamTitle = null;
    this.#durationS = null;
    this.#live = this.#queue.current?.durationS === null && isAddress(this.#queue.current.source);
  }

  /** Plays the current track and those after it until told otherwise. */
  async #carry(signal: AbortSignal, waitedFor?: Report): Promise<void> {
    let report = waitedFor;
    let losses = 0;
    let failures = 0;
    for (let track = this.#queue.current; track; track = this.#queue.current) {
      const stream = isAddress(track.source);
      if (stream) report?.resolve();
      this.#aliveMs = this.#ports.clock.monotonic();
      if (this.#live) this.#setPosition(0);
      const fromS = this.#position.s;
      const outcome = await this.#listen(track, fromS, signal, report);
      this.#loaded = false;
      this.#sounding = false;
      if (this.#mode === 'paused') return this.#changed();
      if (outcome === 'missing') {
        await this.#ports.clock.sleep(LOOK_FOR_PLAYER_EVERY_MS, signal);
        continue;
      }
      // what was heard has been reported: from now on a player that is missing is waited for
      if (outcome.type !== 'failed') report = undefined;
      if (outcome.type !== 'ended') {
        losses = this.#position.s > fromS ? 1 : losses + 1;
        if (stream) {
          await this.#reconnectLater(track, outcome.problem, losses, signal);
          continue;
        }
        if (outcome.type === 'lost' && losses < MAX_LOSSES) continue;
        this.#tellFailure(track, outcome.problem);
      }
      failures = outcome.type === 'ended' ? 0 : failures + 1;
      losses = 0;
      const more = outcome.type === 'ended' ? this.#queue.advance(this.#repeat) : this.#queue.step(1, this.#repeat);
      if (!more || failures >= this.#queue.tracks.length) {
        if (outcome.type !== 'ended') report?.reject(outcome.problem);
        return this.#giveUp();
      }
      this.#newTrack();
      this.#changed();
    }
  }

  /** @throws the signal's reason; Problem `player-missing` when somebody waits for the report. */
  async #listen(track: Track, fromS: number, signal: AbortSignal, report?: Report): Promise<Outcome | 'missing'> {
    try {
      return await listen(track, fromS, this.#ports, this.#listener(track, report), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Problem)) throw error;
      this.#missing = true;
      this.#sounding = false;
      if (report) {
        this.#giveUp();
        throw error;
      }
      this.#changed();
      return 'missing';
    }
  }

  #listener(track: Track, report?: Report): Listener {
    const playback = this;
    return {
      get held() {
        return playback.#mode === 'paused';
      },
      get loudness() {
        return playback.#loudness;
      },
      started: (durationS) => this.#started(track, durationS, report),
      moved: (positionS) => this.#setPosition(positionS),
      sounding: (sounding) => {
        this.#aliveMs = this.#ports.clock.monotonic();
        if (sounding === this.#sounding) return;
        this.#setPosition(this.positionS);
        this.#sounding = sounding;
        this.#changed();
      },
      remember: () => this.#ports.remember(),
    };
  }

  #started(track: Track, durationS: number | null, report?: Report): void {
    this.#loaded = true;
    this.#missing = false;
    this.#fault = null;
    this.#durationS = durationS;
    this.#live = isAddress(track.source) && durationS === null;
    this.#setPosition(this.#live ? 0 : this.#position.s);
    this.#sounding = true;
    report?.resolve();
    if (this.#announced !== track.id) {
      this.#announced = track.id;
      this.counters.tracks += 1;
      this.#ports.trackStarted(track);
    }
    this.#changed();
  }

  async #reconnectLater(track: Track, problem: Problem, losses: number, signal: AbortSignal): Promise<void> {
    const waitMs = RECONNECT_AFTER_MS[Math.min(losses, RECONNECT_AFTER_MS.length) - 1] ?? 0;
    const reason = problem.message;
    const sentence = `${track.title} is silent: ${reason}. Trying again.`;
    if (this.#fault === null) this.#ports.failed(sentence);
    this.#ports.log.warn({ source: track.source, reason, losses, waitMs }, 'station lost');
    this.#fault = sentence;
    this.#streamTitle = null;
    this.counters.reconnects += 1;
    this.#changed();
    await this.#ports.player.halt();
    await this.#ports.clock.sleep(waitMs, signal);
  }

  #tellFailure(track: Track, problem: Problem): void {
    this.counters.failures += 1;
    this.#fault = `${track.title} cannot be played: ${problem.message}`;
    this.#ports.log.warn({ source: track.source, err: problem }, 'track skipped');
    this.#ports.failed(this.#fault);
  }

  /** The end of the queue, or nothing in it that can be played. */
  #giveUp(): void {
    this.#mode = 'stopped';
    this.#sounding = false;
    this.#setPosition(0);
    this.#letGoLater();
    this.#changed();
  }

  #heard(event: PlayerEvent): void {
    if (event.type === 'stream-title') this.#streamTitle = event.title || null;
    else if (event.type === 'station') this.#nameStation(event.name);
    else this.#ports.output.opened(event.driver);
    this.#changed();
  }

  /** A station that nobody named is called as it calls itself. */
  #nameStation(name: string): void {
    const track = this.#queue.current;
    if (track && name && isAddress(track.source) && track.title === new URL(track.source).host) track.title = name;
  }

  async #look(): Promise<void> {
    const missing = !(await this.#ports.player.installed());
    if (missing === this.#missing) return;
    this.#missing = missing;
    this.#ports.log[missing ? 'warn' : 'info']({ missing }, missing ? 'mplayer is not installed' : 'mplayer is here');
    this.#changed();
  }
}
