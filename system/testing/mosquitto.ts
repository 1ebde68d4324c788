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

/** Below what systems give to outgoing connections (Linux 32768, others 49152): nobody takes it by chance while a test restarts its server. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** A port that was free a moment ago, and that no outgoing connection will be given. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, host, () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
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

  /** It keeps its connections and answers nothing any more, until {@link kill}. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
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
