import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { findProgram, freePort, until } from '@ledge/testing';
import { Console } from './console.ts';
import type { Disk } from './disk.ts';
import { type Health, health, isReady } from './health.ts';
import { type Board, type MachineParts, machineArguments, type Network, type Ports, SOCKETS } from './machine-arguments.ts';
import type { Qemu } from './qemu.ts';
import { Qmp } from './qmp.ts';
import { type ExecOptions, type Result, RootShells } from './root-shell.ts';
import { connectTo } from './sockets.ts';

export interface MachineOptions {
  /** Names its logs. */
  name: string;
  disk: Disk;
  uBoot: string;
  board?: Board;
  deviceTree?: string;
  network?: Network;
  drives?: readonly string[];
  memoryMib?: number;
  processors?: number;
  clock?: string;
  /** What {@link Machine.hold} wrote, with the card of that moment: the first power-on goes on from there. */
  memory?: string;
}

/** Its memory to a file, or from there. */
const MOVED_WITHIN_MS = 120_000;
/** How long an emulated box may take from power-on until all its services are ready; generous, as two run at a time. */
export const UP_WITHIN_MS = 300_000;
const ASK_EVERY_MS = 300;
const LOGS = join(import.meta.dirname, '..', '..', '..', 'dist', 'vm-logs');

/** What lives from power-on until the power goes. */
interface Power {
  child: ChildProcess;
  folder: string;
  qmp: Qmp;
  console: Console;
  second: Console | undefined;
  shells: RootShells;
  /** `performance.now()` at power-on. */
  onMs: number;
  exited: Promise<void>;
}

/** An emulated board with its card: switched on and off by the test, heard on its serial console, asked over its network. */
export class Machine {
  readonly name: string;
  readonly disk: Disk;
  readonly ports: Ports;
  /** Options of the next power-on. */
  readonly options: MachineOptions;
  readonly #qemu: Qemu;
  #power: Power | undefined;
  #boots = 0;

  private constructor(qemu: Qemu, options: MachineOptions, ports: Ports) {
    this.#qemu = qemu;
    this.options = { ...options };
    this.name = options.name;
    this.disk = options.disk;
    this.ports = ports;
  }

  /** A machine that is still off. */
  static async build(qemu: Qemu, options: MachineOptions): Promise<Machine> {
    const ports = { http: await freePort(), mqtt: await freePort(), mqtts: await freePort(), ssh: await freePort() };
    return new Machine(qemu, options, ports);
  }

  get #on(): Power {
    if (!this.#power) throw new Error(`${this.name} is off`);
    return this.#power;
  }

  get isOn(): boolean {
    return this.#power !== undefined;
  }

  get console(): Console {
    return this.#on.console;
  }

  /** The Pi's other serial port. */
  get second(): Console | undefined {
    return this.#on.second;
  }

  get qmp(): Qmp {
    return this.#on.qmp;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.http}`;
  }

  /** Gives one of the root shells away to another process, which reaches it at this socket. */
  lendShell(): string {
    const shell = this.#on.shells.giveUp();
    return join(this.#on.folder, SOCKETS.shells[shell] ?? '');
  }

  /** Seconds of this machine's processors that the emulation has taken since power-on. */
  costS(): number {
    const { pid } = this.#on.child;
    // proc_pid_stat(5): user and system time, in hundredths
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  sinceOnMs(): number {
    return performance.now() - this.#on.onMs;
  }

  /** Resolves when the processor runs its first instruction. */
  async powerOn(): Promise<void> {
    if (this.#power) throw new Error(`${this.name} is on already`);
    const {
      disk,
      uBoot,
      board = 'virt',
      network = 'user',
      drives = [],
      memoryMib = 1024,
      processors = 2,
      clock,
      deviceTree,
      memory,
    } = this.options;
    delete this.options.memory;
    const folder = mkdtempSync(join(tmpdir(), 'ledge-vm-'));
    mkdirSync(LOGS, { recursive: true });
    const parts: MachineParts = {
      board,
      uBoot,
      deviceTree,
      card: disk.file,
      drives,
      folder,
      network,
      ports: this.ports,
      memoryMib,
      processors,
      clock,
      waitsForMemory: memory !== undefined,
    };
    const errors: string[] = [];
    const child = startTied(this.#qemu, machineArguments(parts));
    child.stderr?.on('data', (text: Buffer) => errors.push(text.toString().replaceAll(/^.*info: QEMU waiting.*\n/gm, '')));
    const exited = once(child, 'close').then(() => {});
    const gone = () => (child.exitCode === null ? undefined : new Error('QEMU has ended'));
    let onMs = performance.now();
    const log = join(LOGS, `${this.name}-${++this.#boots}`);
    try {
      const names = [SOCKETS.console, ...(board === 'virt' ? SOCKETS.shells : [SOCKETS.second])];
      const [control, first, ...more] = await Promise.all([SOCKETS.qmp, ...names].map((name) => connectTo(join(folder, name), gone)));
      if (!control || !first) throw new Error('QEMU has no sockets');
      const console = new Console(first, `${log}.log`, () => onMs);
      const [other] = more;
      const second = board !== 'virt' && other ? new Console(other, `${log}-second.log`, () => onMs) : undefined;
      const shells = new RootShells(board === 'virt' ? more : []);
      const qmp = new Qmp(control, ({ event }) => event === 'RESET' && shells.reset());
      await qmp.execute('qmp_capabilities');
      await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
      if (memory) await moved(qmp, 'migrate-incoming', `exec:cat '${memory}'`);
      this.#power = { child, folder, qmp, console, second, shells, onMs, exited };
      await qmp.execute('cont');
      onMs = this.#power.onMs = performance.now();
    } catch (error) {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`${this.name} cannot be switched on: ${errors.join('').trim()}`, { cause: error });
    }
  }

  /** Pulls the plug: what was not on the card is gone. */
  async cut(): Promise<void> {
    if (!this.#power) return;
    this.#power.child.kill('SIGKILL');
    await this.#off();
  }

  /** Stops it for good and writes its memory to a file; with a copy of its card, other machines go on from this moment. */
  async hold(file: string): Promise<void> {
    await this.qmp.execute('stop');
    await moved(this.qmp, 'migrate', `exec:cat >'${file}'`);
    await this.cut();
  }

  /** Waits until it has switched itself off. */
  async untilOff(withinMs = 90_000): Promise<void> {
    const inTime = await Promise.race([this.#on.exited.then(() => true), setTimeout(withinMs, false, { ref: false })]);
    if (!inTime) throw this.evidence(`it did not switch off within ${withinMs / 1000} s`);
    await this.#off();
  }

  /** Shuts down in order. */
  async shutDown(): Promise<void> {
    await this.qmp.execute('system_powerdown');
    await this.untilOff();
  }

  async #off(): Promise<void> {
    const power = this.#on;
    await power.exited;
    power.qmp.close();
    power.console.close();
    power.second?.close();
    power.shells.close();
    rmSync(power.folder, { recursive: true, force: true });
    this.#power = undefined;
  }

  /** As root, in bash; resolves whatever the exit code is. */
  async exec(script: string, options?: ExecOptions): Promise<Result> {
    return await this.#on.shells.exec(script, options);
  }

  /** Standard output of a command that must succeed. */
  async sh(script: string, options?: ExecOptions): Promise<string> {
    const { code, out, err } = await this.exec(script, options);
    if (code !== 0) throw this.evidence(`«${script.slice(0, 300)}» ended with ${code}: ${err.slice(-2000)}${out.slice(-1000)}`);
    return out.trimEnd();
  }

  /** Resolves when the boot in progress has a root shell. */
  async shell(withinMs = UP_WITHIN_MS): Promise<void> {
    await this.#on.shells.ready(withinMs).catch((error) => {
      throw this.evidence('it did not come up', error);
    });
  }

  /** Waits until every service says that it is ready; resolves with the milliseconds since power-on. */
  async up(withinMs = UP_WITHIN_MS): Promise<number> {
    await this.health(isReady, withinMs);
    return this.sinceOnMs();
  }

  /** The first answer of the box about its health that is `good`. */
  async health(good: (health: Health) => boolean, withinMs = UP_WITHIN_MS): Promise<Health> {
    let last: Health | undefined;
    try {
      return await until(
        'the services',
        async () => {
          last = await health(this.url);
          if (last && good(last)) return last;
          await setTimeout(ASK_EVERY_MS); // each question costs the machine time that it boots with
          return undefined;
        },
        withinMs,
      );
    } catch (error) {
      throw this.evidence(`not all is ready: ${last ? JSON.stringify(last) : 'nothing answers at port 80'}`, error);
    }
  }

  /** An error that names the log of this boot and quotes its end. */
  evidence(what: string, cause?: unknown): Error {
    if (!this.#power) return new Error(`${this.name}: ${what}`, { cause });
    const { console } = this.#power;
    const last = console.lines.slice(-12).map(({ atMs, text }) => `${(atMs / 1000).toFixed(1).padStart(7)} ${text}`);
    return new Error(`${this.name}: ${what}\nThe console ended with\n${last.join('\n')}\nLog: ${console.logFile}`, { cause });
  }

  /** Off, and the card destroyed. */
  async remove(): Promise<void> {
    await this.cut();
    this.disk.remove();
  }
}

/** Migration, to a file and from it. */
async function moved(qmp: Qmp, command: 'migrate' | 'migrate-incoming', uri: string): Promise<void> {
  const from = qmp.events.length;
  await qmp.execute(command, { uri });
  for (let next = from; ; ) {
    const event = await qmp.wait('MIGRATION', MOVED_WITHIN_MS, next);
    next = qmp.events.indexOf(event) + 1;
    if (event.data?.status === 'completed') return;
    if (event.data?.status === 'failed') throw new Error(`QEMU: ${command} failed`);
  }
}

/** QEMU ends when we do, however we end. */
function startTied(qemu: Qemu, args: readonly string[]): ChildProcess {
  const tie = findProgram('setpriv');
  const [program, before] = tie ? [tie, ['--pdeathsig', 'KILL', qemu.system]] : [qemu.system, []];
  const child = spawn(program, [...before, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...qemu.environment },
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  child.once('error', () => {});
  return child;
}
