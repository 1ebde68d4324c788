import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Where a program is, looking where Debian puts daemons too; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/games'];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** A port that was free a moment ago. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const probe = createServer();
  probe.listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Debian's mosquitto as a broker without rights, for tests of clients. */
export class MosquittoBroker {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ledge-mosquitto-'));
  #process: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const program = findProgram('mosquitto');
    if (!program) throw new Error('mosquitto is not installed');
    const config = join(this.#folder, 'mosquitto.conf');
    writeFileSync(config, `listener ${this.port} 127.0.0.1\nallow_anonymous true\n`);
    const child = spawn(program, ['-c', config, '-v'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`mosquitto ended with ${code}`)));
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (/mosquitto version .* running/.test(line)) resolve();
      });
    });
  }

  /** Ends it as a crash does: what it retained is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
