import { Problem } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import type { Load, Over, Player, PlayerEvent, Sound } from './player.ts';
import type { PlayerProcess, PlayerProcesses } from './process.ts';
import { commands, FENCE_NAME, type FlagProperty, LineReader, type NumberProperty, parseLine, type Reply, reasonOf } from './protocol.ts';

const ANSWER_WITHIN_MS = 1000;
/** Unanswered questions in a row after which mplayer counts as hung. */
const MAX_SILENCES = 3;
/** Its first start from a slow card takes seconds: 5 of a Cortex-A53's in an emulated board that has nothing else to do. */
const START_WITHIN_MS = 20_000;
const FENCE_EVERY_MS = 250;
/** stderr is another pipe: what it says of a failure may come a moment after the answer on stdout. */
const STDERR_GRACE_MS = 30;
const KEPT_STDERR_LINES = 30;

/**
 * Without a cache there is no second process that would survive a killed mplayer; the socket's buffer does its work.
 * Each track begins at the volume given here, so at silence: the wanted volume is said when it has started, and nothing ever blares.
 */
const ARGUMENTS = [
  ...['-slave', '-idle', '-quiet', '-noconsolecontrols', '-nolirc', '-nojoystick', '-noconfig', 'all', '-input', 'nodefault-bindings'],
  ...['-novideo', '-noautosub', '-nocache', '-softvol', '-softvol-max', '100', '-volume', '0'],
  ...['-msglevel', 'all=1:global=6:cplayer=4:demuxer=4:network=4'],
];

export interface MplayerOptions {
  processes: PlayerProcesses;
  clock: Clock;
  log: Logger;
  /** Arguments that choose the sound output, asked at each start of the process. */
  outputArguments(): Promise<readonly string[]>;
}

interface Running {
  process: PlayerProcess;
  /** Newest last, since the last load. */
  stderr: string[];
  /** Rejects when the process ends. */
  gone: Promise<never>;
  silences: number;
  /** A question went unanswered: old answers may still come, a fence must clear them first. */
  unsure: boolean;
  endReason?: string;
}

class Silence extends Error {}

/** mplayer in slave mode: one question in flight, in the order of the calls. Its errors name no question, so there must never be two. */
export class MplayerPlayer implements Player {
  readonly #options: MplayerOptions;
  readonly #listeners = new Set<(event: PlayerEvent) => void>();
  #running: Running | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #hear: ((reply: Reply) => void) | undefined;
  /** The track that sounds; undefined while mplayer is idle or opens one. */
  #sound: PromiseWithResolvers<Over> | undefined;

  constructor(options: MplayerOptions) {
    this.#options = options;
  }

  async installed(): Promise<boolean> {
    return (await this.#options.processes.find()) !== undefined;
  }

  onEvent(listener: (event: PlayerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async load(load: Load, signal: AbortSignal): Promise<Sound> {
    const line = commands.load(load.source);
    return this.#inOrder(async () => {
      signal.throwIfAborted();
      const running = await this.#start();
      running.stderr.length = 0;
      this.#over({ type: 'replaced' });
      running.process.write(commands.stop());
      running.process.write(line);
      const sound = await this.#opened(running, load, signal);
      if (load.positionS > 0) running.process.write(commands.seek(load.positionS));
      running.process.write(commands.volume(load.volume));
      return { over: sound.promise };
    });
  }

  halt(): Promise<void> {
    return this.#inOrder(async () => {
      this.#over({ type: 'replaced' });
      this.#running?.process.write(commands.stop());
    });
  }

  setPaused(paused: boolean): Promise<void> {
    return this.#inOrder(async () => {
      if (!this.#sound) return;
      const now = await this.#ask('pause');
      if (now !== null && (now === 'yes') !== paused) this.#running?.process.write(commands.togglePause());
    });
  }

  seek(positionS: number): Promise<void> {
    return this.#whilePlaying(commands.seek(positionS));
  }

  setVolume(percent: number): Promise<void> {
    return this.#whilePlaying(commands.volume(percent));
  }

  position(): Promise<number | null> {
    return this.#number('time_pos');
  }

  durationS(): Promise<number | null> {
    return this.#number('length');
  }

  async close(): Promise<void> {
    const end = async () => {
      const running = this.#running;
      this.#running = undefined;
      this.#over({ type: 'died', reason: 'it was told to end' });
      running?.process.kill();
      await running?.process.ended;
    };
    // at once, so that what waits for an answer gives up; then for a process that was just being started
    await end();
    await this.#inOrder(end);
  }

  #inOrder<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(job);
    this.#tail = done.catch(() => {});
    return done;
  }

  /** mplayer drops commands while it is idle: they are not sent then. */
  #whilePlaying(line: string): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#sound) this.#running?.process.write(line);
    });
  }

  #number(property: NumberProperty): Promise<number | null> {
    return this.#inOrder(async () => {
      if (!this.#sound) return null;
      const value = Number((await this.#ask(property)) ?? Number.NaN);
      return Number.isFinite(value) ? value : null;
    });
  }

  async #start(): Promise<Running> {
    if (this.#running) return this.#running;
    const { processes } = this.#options;
    const program = await processes.find();
    if (!program) throw new Problem('player-missing', 'mplayer is not installed; sound starts when it is (Debian: apt install mplayer)');
    const process = processes.spawn(program, [...ARGUMENTS, ...(await this.#options.outputArguments())]);
    const running: Running = { process, stderr: [], gone: new Promise(() => {}), silences: 0, unsure: false };
    running.gone = process.ended.then((end) => {
      throw this.#ended(running, end);
    });
    running.gone.catch(() => {});
    process.onStdout(this.#reader(running, (text) => this.#line(text)));
    process.onStderr(this.#reader(running, (text) => keepLast(running.stderr, text, KEPT_STDERR_LINES)));
    this.#running = running;
    try {
      process.write(commands.fence());
      await this.#answer(running, (reply) => (reply.type === 'answer' ? true : undefined), START_WITHIN_MS);
    } catch (error) {
      this.#end(running, 'it does not start');
      throw error instanceof Silence ? new Problem('player-failed', `mplayer says nothing ${START_WITHIN_MS} ms after its start`) : error;
    }
    this.#options.log.info({ pid: process.pid, program }, 'mplayer started');
    return running;
  }

  #reader(running: Running, onLine: (text: string) => void): (chunk: Uint8Array) => void {
    const lines = new LineReader((text) => {
      if (this.#running === running) onLine(text);
    });
    return (chunk) => lines.push(chunk);
  }

  #line(text: string): void {
    const reply = parseLine(text);
    if (!reply) return;
    if (reply.type === 'output') this.#tell({ type: 'output', driver: reply.driver });
    else if (reply.type === 'stream-title') this.#tell({ type: 'stream-title', title: reply.title });
    else if (reply.type === 'station') this.#tell({ type: 'station', name: reply.name });
    else if (reply.type === 'eof' && reply.reason === 'end') this.#over({ type: 'ended' });
    this.#hear?.(reply);
  }

  /** Waits for the track that was just loaded. mplayer reads and drops commands while it opens something: a fence it answers is one after that. */
  async #opened(running: Running, load: Load, signal: AbortSignal): Promise<PromiseWithResolvers<Over>> {
    const { clock } = this.#options;
    let loading = false;
    const fence = () => running.process.write(commands.fence());
    fence();
    const stopFences = clock.every(FENCE_EVERY_MS, fence);
    let outcome: PromiseWithResolvers<Over> | 'failed';
    try {
      outcome = await this.#answer(
        running,
        (reply) => {
          if (reply.type === 'loading') loading = true;
          if (!loading) return undefined;
          if (reply.type === 'started') {
            // at once: a short track may end in the same bytes
            this.#sound = Promise.withResolvers<Over>();
            return this.#sound;
          }
          return reply.type === 'answer' && reply.name === FENCE_NAME ? 'failed' : undefined;
        },
        load.withinMs,
        signal,
      );
    } catch (error) {
      if (this.#running === running) await this.#interrupt(running);
      throw error instanceof Silence ? new Problem('player-failed', `no sound after ${load.withinMs / 1000} s`) : error;
    } finally {
      stopFences();
    }
    if (outcome !== 'failed') return outcome;
    await clock.sleep(STDERR_GRACE_MS);
    throw new Problem('player-failed', reasonOf(running.stderr));
  }

  /** Ends an opening that goes on; mplayer itself when it does not listen. */
  async #interrupt(running: Running): Promise<void> {
    running.process.write(commands.stop());
    running.process.write(commands.fence());
    await this.#answer(running, (reply) => (reply.type === 'answer' ? true : undefined), ANSWER_WITHIN_MS).catch(() =>
      this.#end(running, 'it does not listen'),
    );
  }

  /** The property's text; null when mplayer has none now. Three silences in a row end it. */
  async #ask(property: NumberProperty | FlagProperty): Promise<string | null> {
    const running = this.#running;
    if (!running) return null;
    try {
      if (running.unsure) {
        running.process.write(commands.fence());
        await this.#answer(running, (r) => (r.type === 'answer' && r.name === FENCE_NAME ? true : undefined), ANSWER_WITHIN_MS);
        running.unsure = false;
      }
      running.process.write(commands.get(property));
      const answer = await this.#answer(
        running,
        (reply) => {
          if (reply.type === 'error') return { value: null };
          return reply.type === 'answer' && reply.name === property ? { value: reply.value } : undefined;
        },
        ANSWER_WITHIN_MS,
      );
      running.silences = 0;
      return answer.value;
    } catch (error) {
      if (!(error instanceof Silence)) throw error;
      running.unsure = true;
      running.silences += 1;
      if (running.silences >= MAX_SILENCES) this.#end(running, `it left ${MAX_SILENCES} questions unanswered`);
      throw new Problem('player-failed', `mplayer did not say ${property} within ${ANSWER_WITHIN_MS} ms`);
    }
  }

  /** The first reply that `match` makes something of. @throws Silence in time, the signal's reason, or what {@link Running.gone} says. */
  #answer<T>(running: Running, match: (reply: Reply) => T | undefined, withinMs: number, signal?: AbortSignal): Promise<T> {
    let giveBack = () => {};
    const heard = new Promise<T>((resolve, reject) => {
      this.#hear = (reply) => {
        const matched = match(reply);
        if (matched !== undefined) resolve(matched);
      };
      const late = this.#options.clock.after(withinMs, () => reject(new Silence()));
      const abort = () => reject(signal?.reason);
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      giveBack = () => {
        this.#hear = undefined;
        late();
        signal?.removeEventListener('abort', abort);
      };
    });
    return Promise.race([heard, running.gone]).finally(giveBack);
  }

  #end(running: Running, reason: string): void {
    running.endReason = reason;
    running.process.kill();
  }

  #ended(running: Running, end: { code: number | null; signal: string | null; error?: Error }): Problem {
    const how = end.error?.message ?? (end.signal ? `signal ${end.signal}` : `code ${end.code}`);
    const reason = running.endReason ?? `it ended with ${how}`;
    if (this.#running === running) {
      this.#running = undefined;
      this.#options.log.warn({ pid: running.process.pid, how, reason, stderr: running.stderr.slice(-5) }, 'mplayer ended');
      this.#over({ type: 'died', reason });
    }
    return new Problem('player-failed', `mplayer is gone: ${reason}`, { cause: end.error });
  }

  #over(how: Over): void {
    this.#sound?.resolve(how);
    this.#sound = undefined;
  }

  #tell(event: PlayerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function keepLast(lines: string[], text: string, count: number): void {
  if (text.trim() === '') return;
  lines.push(text);
  if (lines.length > count) lines.shift();
}
