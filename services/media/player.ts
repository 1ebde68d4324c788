/** What is played. A file is an absolute path, a stream an http(s) URL. */
export interface Load {
  source: string;
  /** Where to begin, seconds. */
  positionS: number;
  /** 0 to 100; 0 is silence. */
  volume: number;
  /** How long it may take until sound is there. */
  withinMs: number;
}

/** How a track was over: at its end, because something else was asked for, or because the player itself died. */
export type Over = { type: 'ended' } | { type: 'replaced' } | { type: 'died'; reason: string };

/** A track that sounds. */
export interface Sound {
  /** Resolves once, never rejects. */
  readonly over: Promise<Over>;
}

export type PlayerEvent =
  | { type: 'stream-title'; title: string }
  | { type: 'station'; name: string }
  /** The sound output in use, `null` for none; told at each start of a track. */
  | { type: 'output'; driver: string };

/**
 * Plays one thing at a time. It holds no queue and remembers nothing: volume and position come with each load.
 * Calls are carried out in the order in which they were made. Without a track they do nothing, and questions are answered by null.
 */
export interface Player {
  /** Is there a player on this machine now? */
  installed(): Promise<boolean>;
  /**
   * Starts the player if it does not run, and the track. Resolves when sound begins.
   * @throws Problem `invalid-value` for a source that cannot be said safely, `player-missing`, `player-failed` with the reason; the signal's
   * reason when that ends it.
   */
  load(load: Load, signal: AbortSignal): Promise<Sound>;
  halt(): Promise<void>;
  /** @throws Problem `player-failed` */
  setPaused(paused: boolean): Promise<void>;
  seek(positionS: number): Promise<void>;
  setVolume(percent: number): Promise<void>;
  /** Seconds. @throws Problem `player-failed` when there is no answer */
  position(): Promise<number | null>;
  /** Seconds; null for a live stream. @throws Problem `player-failed` */
  durationS(): Promise<number | null>;
  onEvent(listener: (event: PlayerEvent) => void): () => void;
  /** Ends the player's process, if there is one; it starts again at the next load. */
  close(): Promise<void>;
}
