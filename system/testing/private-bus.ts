import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './mosquitto.ts';

/** A D-Bus daemon of the test's own, on which anybody may have any name. */
export class PrivateBus {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ledge-bus-'));
  readonly address = `unix:path=${this.#folder}/bus`;
  readonly #deny: string;
  #process: ChildProcess | undefined;

  /** @param deny rules of the policy as the daemon's configuration has them, such as `<deny send_interface="…" send_member="StopUnit"/>` */
  constructor(deny = '') {
    this.#deny = deny;
  }

  static get installed(): boolean {
    return findProgram('dbus-daemon') !== undefined;
  }

  /** Resolves when it listens; after {@link kill} on the same address again. */
  async start(): Promise<void> {
    const program = findProgram('dbus-daemon');
    if (!program) throw new Error('dbus-daemon is not installed');
    const config = join(this.#folder, 'bus.conf');
    const policy = `<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>${this.#deny}</policy>`;
    writeFileSync(config, `<busconfig><type>custom</type><listen>${this.address}</listen><auth>EXTERNAL</auth>${policy}</busconfig>`);
    const child = spawn(program, [`--config-file=${config}`, '--nofork', '--nopidfile', '--print-address'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    let complaint = '';
    child.stderr.on('data', (part) => {
      complaint = String(part);
    });
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`dbus-daemon ended with ${code}: ${complaint}`)));
      child.stdout.once('data', () => resolve());
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
