import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Clock, type Logger, type Random, retryDelayMs } from '@ledge/kit';
import type { MosquittoFiles } from './configuration.ts';
import { readLine, type Told } from './log-lines.ts';
import { isMosquittoOf, type Program } from './program.ts';

const READY_WITHIN_MS = 10_000;
/** Time to write what it keeps. The service itself has 5 s. */
const END_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 20;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;
/** Who has run this long did not die of its start. */
const SOUND_MS = 60_000;

export interface ProcessPorts {
  clock: Clock;
  random: Random;
  log: Logger;
}
export interface ProcessOwner {
  /** Writes the files that it is to start with. */
  prepare(): Promise<void>;
  told(told: Told): void;
  /** It listens. */
  up(): Promise<void>;
  /** It is gone; all its clients are, too. */
  down(): void;
}

/** The mosquitto process: started, watched, started again when it dies, and ended with us. */
export class MosquittoProcess {
  readonly #program: Program;
  readonly #files: MosquittoFiles;
  readonly #owner: ProcessOwner;
  readonly #ports: ProcessPorts;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #wanted = false;
  #deaths = 0;
  #cancelRetry: (() => void) | undefined;
  #fault: string | undefined;
  version = '';

  constructor(program: Program, files: MosquittoFiles, owner: ProcessOwner, ports: ProcessPorts) {
    this.#program = program;
    this.#files = files;
    this.#owner = owner;
    this.#ports = ports;
  }

  /** Why it does not run now; undefined when it does. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Resolves when it listens. @throws what it said when it did not start */
  async start(): Promise<void> {
    this.#wanted = true;
    try {
      await this.#owner.prepare();
      await this.#launch();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#cancelRetry?.();
    await this.#end();
  }

  /** Ends it in order and starts it with new files; its clients come back by themselves. */
  async restart(): Promise<void> {
    if (!this.#wanted) return;
    this.#cancelRetry?.();
    this.#fault = 'mosquitto is being started anew';
    await this.#end();
    await this.#tryLaunch();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined; // so that its end is no death
    child.kill('SIGTERM');
    const cancel = this.#ports.clock.after(END_WITHIN_MS, () => child.kill('SIGKILL'));
    await this.#ended;
    cancel();
    await rm(this.#files.pid, { force: true });
    this.#owner.down();
  }

  /** A service that was killed may have left one behind, which still has the ports. Resolves when it is gone. */
  async endStranded(): Promise<void> {
    const pid = Number(await readFile(this.#files.pid, 'utf8').catch(() => ''));
    const runs = () => isMosquittoOf(pid, this.#files.configuration);
    if (!pid || !(await runs())) return;
    this.#ports.log.warn({ pid }, 'a mosquitto of an earlier run is ended');
    const { clock } = this.#ports;
    const killMs = clock.monotonic() + END_WITHIN_MS;
    signal(pid, 'SIGTERM');
    while (await runs()) {
      if (clock.monotonic() > killMs) signal(pid, 'SIGKILL');
      await clock.sleep(LOOK_EVERY_MS);
    }
  }

  async #launch(): Promise<void> {
    const { clock, log } = this.#ports;
    const { mosquitto, setpriv } = this.#program;
    const args = ['-c', this.#files.configuration];
    const [command, ...rest] = setpriv ? [setpriv, '--pdeathsig', 'TERM', mosquitto, ...args] : [mosquitto, ...args];
    const child = spawn(command ?? mosquitto, rest, { stdio: ['ignore', 'ignore', 'pipe'], env: { LC_ALL: 'C.UTF-8' } });
    this.#child = child;
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    let lastError = '';
    createInterface({ input: child.stderr }).on('line', (line) => {
      const told = readLine(line);
      if (told.kind === 'other') {
        log[told.level]({ mosquitto: line }, 'mosquitto says');
        if (told.level === 'error') lastError = line;
      }
      if (told.kind === 'ready') {
        this.version = told.version;
        ready.resolve();
      } else this.#owner.told(told);
    });
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        lastError = error.message;
        if (child.pid === undefined) end(null, null);
      });
      const end = (code: number | null, by: NodeJS.Signals | null) => {
        const fault = `mosquitto ended with ${by ?? `code ${code}`}${lastError && `: ${lastError}`}`;
        ready.reject(new Error(fault));
        if (this.#child === child) this.#died(fault);
        resolve();
      };
      child.once('close', end);
    });
    if (child.pid !== undefined) await this.#files.write(this.#files.pid, String(child.pid));
    const cancel = clock.after(READY_WITHIN_MS, () => child.kill('SIGKILL'));
    try {
      await ready.promise;
      await this.#owner.up();
    } finally {
      cancel();
    }
    this.#fault = undefined;
    log.info({ version: this.version, pid: child.pid }, 'mosquitto runs');
    const sound = clock.after(SOUND_MS, () => {
      this.#deaths = 0;
    });
    void this.#ended.then(sound);
  }

  #died(fault: string): void {
    this.#child = undefined;
    this.#fault = fault;
    this.#owner.down();
    if (!this.#wanted) return;
    const delayMs = retryDelayMs(this.#deaths++, this.#ports.random, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    this.#ports.log.error({ fault, again: Math.round(delayMs) }, 'mosquitto died; it is started again');
    this.#cancelRetry = this.#ports.clock.after(delayMs, () => void this.#tryLaunch());
  }

  /** A start that fails is a death, after which it is tried again. */
  async #tryLaunch(): Promise<void> {
    try {
      await this.#owner.prepare();
    } catch (error) {
      this.#died(`mosquitto cannot be started: ${error instanceof Error ? error.message : error}`);
      return;
    }
    if (!this.#wanted) return; // told to stop meanwhile
    await this.#launch().catch((error: unknown) => {
      this.#ports.log.error({ err: error }, 'mosquitto did not start');
      this.#child?.kill('SIGKILL');
    });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has just ended
  }
}
