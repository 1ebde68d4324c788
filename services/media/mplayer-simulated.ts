import type { Clock } from '@ledge/kit';
import type { PlayerProcess, PlayerProcesses } from './process.ts';

/** A file or stream of the simulation. */
export interface SimulatedTrack {
  /** Undefined: a live stream. */
  lengthS?: number;
  /** What stderr says when it cannot be opened. */
  fails?: string;
  /** It is never opened: commands are read and dropped. */
  hangs?: boolean;
  /** Raw bytes on stdout when it is opened, such as an ICY line. */
  says?: string | Uint8Array;
}

/**
 * mplayer's slave mode as observed of mplayer 1.5: idle drops all but loadfile and properties, errors name nothing, each track begins unpaused at
 * the volume of the command line. For tests of the driver, down to the bytes.
 */
export class SimulatedMplayer implements PlayerProcess {
  readonly pid = 4711;
  readonly ended: PlayerProcess['ended'];
  /** Everything that was written to stdin. */
  written = '';
  /** Frozen, it reads nothing, as in a stalled read from the network. */
  frozen = false;
  readonly #clock: Clock;
  readonly #tracks: (source: string) => SimulatedTrack | undefined;
  readonly #end = Promise.withResolvers<{ code: number | null; signal: string | null; error?: Error }>();
  #unread = '';
  #stdout: ((chunk: Uint8Array) => void) | undefined;
  #stderr: ((chunk: Uint8Array) => void) | undefined;
  #track: SimulatedTrack | undefined;
  #opening = false;
  #paused = false;
  volume = 0;
  #from = { s: 0, atMs: 0 };
  #cancelEnd = () => {};

  constructor(clock: Clock, tracks: (source: string) => SimulatedTrack | undefined) {
    this.#clock = clock;
    this.#tracks = tracks;
    this.ended = this.#end.promise;
    this.ended.then(() => this.#cancelEnd());
  }

  onStdout(listener: (chunk: Uint8Array) => void): void {
    this.#stdout = listener;
  }

  onStderr(listener: (chunk: Uint8Array) => void): void {
    this.#stderr = listener;
  }

  kill(signal = 'SIGKILL'): void {
    this.#end.resolve({ code: null, signal });
  }

  fail(error: Error): void {
    this.#end.resolve({ code: null, signal: null, error });
  }

  write(text: string): void {
    this.written += text;
    this.#unread += text;
    queueMicrotask(() => this.#read());
  }

  thaw(): void {
    this.frozen = false;
    this.#read();
  }

  /** Bytes as mplayer prints them. */
  say(text: string | Uint8Array): void {
    this.#stdout?.(Buffer.from(text));
  }

  get positionS(): number {
    return this.#paused ? this.#from.s : this.#from.s + (this.#clock.monotonic() - this.#from.atMs) / 1000;
  }

  /** The network is gone: the track ends. */
  drop(): void {
    this.#finish(1);
  }

  #read(): void {
    while (!this.frozen && this.#unread.includes('\n')) {
      const end = this.#unread.indexOf('\n');
      const line = this.#unread.slice(0, end);
      this.#unread = this.#unread.slice(end + 1);
      this.#command(line);
    }
  }

  #command(line: string): void {
    const words = line.replace(/^pausing_keep_force /, '').split(' ');
    const [verb, first] = words;
    if (this.#opening) {
      if (verb === 'stop') this.#opening = false;
      return;
    }
    if (verb === 'loadfile') this.#load(unquoted(line.slice('loadfile '.length)));
    else if (verb === 'get_property') this.#property(first ?? '');
    else if (!this.#track) return;
    else if (verb === 'stop') this.#finish(4);
    else if (verb === 'pause') this.#pause();
    else if (verb === 'volume') this.volume = Number(first);
    else if (verb === 'seek') this.#seek(Number(first));
  }

  #load(source: string): void {
    if (this.#track) this.#finish(2);
    this.say(`\nPlaying ${source}.\n`);
    const track = this.#tracks(source) ?? { fails: `File not found: '${source}'\nFailed to open ${source}.` };
    if (track.hangs) {
      this.#opening = true;
      return;
    }
    if (track.says) this.say(track.says);
    if (track.fails !== undefined) {
      this.#stderr?.(Buffer.from(`${track.fails}\n`));
      this.say('\n');
      return;
    }
    this.#track = track;
    this.#paused = false;
    this.volume = 0;
    this.say(
      'Audio only file format detected.\nAO: [null] 22050Hz 1ch s16le (2 bytes per sample)\nVideo: no video\nStarting playback...\n',
    );
    this.#go(0);
  }

  #go(fromS: number): void {
    this.#cancelEnd();
    this.#from = { s: fromS, atMs: this.#clock.monotonic() };
    const { lengthS } = this.#track ?? {};
    if (lengthS !== undefined && !this.#paused)
      this.#cancelEnd = this.#clock.after(Math.max(0, lengthS - fromS) * 1000, () => this.#finish(1));
  }

  #pause(): void {
    const at = this.positionS;
    this.#paused = !this.#paused;
    this.#go(at);
  }

  #seek(toS: number): void {
    this.#go(toS);
  }

  #finish(code: number): void {
    this.#cancelEnd();
    if (!this.#track) return;
    this.#track = undefined;
    this.say(`EOF code: ${code}  \n\n`);
  }

  #property(name: string): void {
    const value = this.#value(name);
    if (value !== undefined) {
      this.say(`ANS_${name}=${value}\n`);
      return;
    }
    this.#stderr?.(Buffer.from(`Failed to get value of property '${name}'.\n`));
    this.say('ANS_ERROR=PROPERTY_UNAVAILABLE\n');
  }

  #value(name: string): string | undefined {
    if (name === 'osdlevel') return '1';
    if (name === 'pause') return this.#paused ? 'yes' : 'no';
    if (!this.#track) return undefined;
    if (name === 'time_pos') return this.positionS.toFixed(6);
    if (name === 'length') return this.#track.lengthS?.toFixed(6);
    return undefined;
  }
}

/** As input.c finds the end of an argument and takes backslashes away. */
function unquoted(text: string): string {
  const quote = text[0] ?? '';
  let end = text.indexOf(quote, 1);
  while (end > 0 && text[end - 1] === '\\') end = text.indexOf(quote, end + 1);
  return text.slice(1, end).replace(/\\(.)/g, '$1');
}

/** Simulated processes: which mplayer is installed, and all that were started, newest last. */
export interface SimulatedProcesses extends PlayerProcesses {
  installed: boolean;
  readonly started: SimulatedMplayer[];
  readonly arguments: (readonly string[])[];
}

export function simulatedProcesses(clock: Clock, tracks: (source: string) => SimulatedTrack | undefined): SimulatedProcesses {
  const started: SimulatedMplayer[] = [];
  const all: (readonly string[])[] = [];
  return {
    installed: true,
    started,
    arguments: all,
    async find() {
      return this.installed ? '/usr/bin/mplayer' : undefined;
    },
    spawn(_program, args) {
      const process = new SimulatedMplayer(clock, tracks);
      started.push(process);
      all.push(args);
      return process;
    },
  };
}
