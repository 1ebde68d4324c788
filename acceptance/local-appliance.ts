import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, until } from '@ledge/testing';
import type { Appliance } from './appliance.ts';
import { HttpAppliance } from './http-appliance.ts';

export const ADMIN_PASSWORD = 'a quiet brown heron';
const READY_WITHIN_MS = 30_000;
const BUILT_AND_READY_WITHIN_MS = 90_000;

export interface ApplianceOptions {
  dataDir?: string;
  /** Content of ledge.yaml. */
  config?: string;
  environment?: Record<string, string>;
  /** Files for `things/` before the first start. */
  things?: Record<string, string>;
  /** Nobody has chosen a password yet, and no token is made. */
  asNew?: boolean;
  /** Folder of a project that runs with it, as `./build.sh start --project` has it. */
  project?: string;
  /** Folder of another Ledge than this one. */
  framework?: string;
  /** What starts it instead, and takes `start`'s options; it may build first. */
  command?: readonly [program: string, ...args: string[]];
  /** Its data outlive it. */
  keepData?: boolean;
}

const HERE = join(import.meta.dirname, '..');

/** Starts `dist/ledge.mjs` (made by `./build.sh build`) on free ports; resolves when every service is ready. */
export async function startLocalAppliance(options: ApplianceOptions = {}): Promise<Appliance> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'ledge-acceptance-'));
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  if (options.config) writeFileSync(join(dataDir, 'ledge.yaml'), options.config);
  if (options.things) {
    mkdirSync(join(dataDir, 'things'), { recursive: true });
    for (const [name, yaml] of Object.entries(options.things)) writeFileSync(join(dataDir, 'things', name), yaml);
  }
  const log: string[] = [];
  const { project, framework = HERE } = options;
  const program = project ? [join(framework, 'tools', 'start-project.ts'), '--project', project] : [join(framework, 'dist', 'ledge.mjs')];
  const [command, ...args] = options.command ?? [process.execPath, ...program];
  const child = spawn(command, [...args, '--data', dataDir, '--http-port', String(httpPort), '--mqtt-port', String(mqttPort)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...(options.asNew ? {} : { EDGE_ADMIN_PASSWORD: ADMIN_PASSWORD }), ...options.environment },
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => log.push(line));
  const url = `http://127.0.0.1:${httpPort}`;
  const appliance = new LocalAppliance(child, { url, mqttPort, dataDir, log, keepData: options.keepData ?? false });
  try {
    await until(
      'all services to be ready',
      () =>
        child.exitCode !== null
          ? Promise.reject(new Error(`it ended with ${child.exitCode}`))
          : log.some((line) => / ready: http/.test(line)),
      options.command ? BUILT_AND_READY_WITHIN_MS : READY_WITHIN_MS,
    );
    if (!options.asNew) await appliance.signIn(ADMIN_PASSWORD);
    return appliance;
  } catch (error) {
    await appliance.stop();
    throw new Error(`the appliance did not start:\n${log.slice(-40).join('\n')}`, { cause: error });
  }
}

/** A child of a process of this machine, by the program's name, or any (proc(5), stat). */
export function findChild(parent: number, program?: string): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, name, rest] = /\((.*)\) . (\d+)/.exec(stat) ?? [];
      if ((program === undefined || name === program) && Number(rest) === parent) return Number(pid);
    } catch {
      // it ended while we looked
    }
  }
  return undefined;
}

export function killHere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}

class LocalAppliance extends HttpAppliance {
  readonly url: string;
  readonly mqttPort: number;
  readonly dataDir: string;
  readonly log: string[];
  readonly slowness = 1;
  readonly #process: ChildProcess;
  readonly #keepData: boolean;

  constructor(child: ChildProcess, facts: Pick<LocalAppliance, 'url' | 'mqttPort' | 'dataDir' | 'log'> & { keepData: boolean }) {
    super();
    this.#process = child;
    this.url = facts.url;
    this.mqttPort = facts.mqttPort;
    this.dataDir = facts.dataDir;
    this.log = facts.log;
    this.#keepData = facts.keepData;
  }

  override async dropThing(name: string, yaml: string): Promise<number> {
    const draft = join(this.dataDir, `${name}.draft`);
    writeFileSync(draft, yaml);
    renameSync(draft, join(this.dataDir, 'things', name));
    return performance.now();
  }

  override async killProcess(pid: number): Promise<void> {
    killHere(pid);
  }

  override async childOf(parent: number, program: string): Promise<number | undefined> {
    return findChild(parent, program);
  }

  override async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    if (!this.#keepData) rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}
