import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Appliance } from './appliance.ts';

export interface Account {
  name: string;
  password: string;
}

/** What mosquitto_sub -v prints for a message without payload. */
const EMPTY = '(null)';

/** Debian's mosquitto_sub, following a filter; lines are `topic payload`. */
export class MosquittoSub {
  readonly lines: { topic: string; payload: string; atMs: number }[] = [];
  readonly errors: string[] = [];
  readonly #process: ChildProcess;

  constructor(appliance: Appliance, filter: string, account?: Account) {
    const credentials = account ? ['-u', account.name, '-P', account.password] : [];
    const child = spawn(
      'mosquitto_sub',
      ['-h', '127.0.0.1', '-p', String(appliance.mqttPort), ...credentials, '-v', '-q', '1', '-t', filter],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const space = line.indexOf(' ');
      const payload = line.slice(space + 1);
      this.lines.push({ topic: line.slice(0, space), payload: payload === EMPTY ? '' : payload, atMs: performance.now() });
    });
    createInterface({ input: child.stderr }).on('line', (line) => this.errors.push(line));
  }

  payloads(topic: string): string[] {
    return this.lines.filter((line) => line.topic === topic).map((line) => line.payload);
  }

  /** Resolves with the exit code when it ends by itself. */
  async ended(): Promise<number | null> {
    if (this.#process.exitCode === null) await once(this.#process, 'close');
    return this.#process.exitCode;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'close');
  }
}
