import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AccessRule, ServiceView } from '@ledge/contract';
import { freePort, until } from '@ledge/testing';
import { inject } from 'vitest';
import { HttpAppliance } from './http-appliance.ts';

/** An emulated board that the suite has switched on; see `image/tests/acceptance-machine.ts`. */
export interface Board {
  url: string;
  mqttPort: number;
  /** Unix socket of a root shell in it. */
  shell: string;
  slowness: number;
}
declare module 'vitest' {
  interface ProvidedContext {
    board?: Board;
  }
}

/** How many times slower than this machine the appliances of this suite are; see {@link Appliance.slowness}. */
export const slowness = inject('board')?.slowness ?? 1;
export const ADMIN_PASSWORD = 'a quiet brown heron';
export const SERVICES = ['broker', 'device', 'sse', 'media', 'server'] as const;
export type ServiceName = (typeof SERVICES)[number];

const READY_WITHIN_MS = 30_000;

export interface Answer<T = unknown> {
  status: number;
  body: T;
}

/**
 * A running Ledge as its users see it: HTTP, MQTT, files in its data directory, and a hand that kills. The tests beside this file
 * use only this, so the same tests can drive a container or a board.
 */
export interface Appliance {
  readonly url: string;
  readonly mqttPort: number;
  /** Where its data lies, in its own file system. */
  readonly dataDir: string;
  readonly edge: string;
  /** A bearer token of an admin. */
  readonly token: string;
  api<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  services(): Promise<ServiceView[]>;
  pidOf(service: ServiceName): Promise<number>;
  kill(service: ServiceName): Promise<void>;
  /** Kills one of its processes, or none when it is gone already. */
  killProcess(pid: number): Promise<void>;
  /** A child of one of its processes, by the program's name. */
  childOf(pid: number, program: string): Promise<number | undefined>;
  /** A file for `things/`, there whole or not at all; resolves with the moment (`performance.now()`) from which it was there. */
  dropThing(name: string, yaml: string): Promise<number>;
  /** How many times slower than this machine it is; what must happen in a second here may take so many seconds there. */
  readonly slowness: number;
  addMqttUser(name: string, password: string, rules: AccessRule[]): Promise<void>;
  /** Every line that it logged so far. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

export interface ApplianceOptions {
  dataDir?: string;
  /** Content of ledge.yaml. */
  config?: string;
  environment?: Record<string, string>;
  /** Files for `things/` before the first start. */
  things?: Record<string, string>;
}

/**
 * Starts `dist/ledge.mjs` (made by `./build.sh build`) on free ports; resolves when every service is ready. In the suite that has an
 * emulated board instead (`image/tests/acceptance-machine.ts`), that board is made as new.
 */
export async function startAppliance(options: ApplianceOptions = {}): Promise<Appliance> {
  const board = inject('board');
  if (board) return await (await import('../image/tests/vm/appliance.ts')).takeBoard(board, options);
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'ledge-acceptance-'));
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  if (options.config) writeFileSync(join(dataDir, 'ledge.yaml'), options.config);
  if (options.things) {
    mkdirSync(join(dataDir, 'things'), { recursive: true });
    for (const [name, yaml] of Object.entries(options.things)) writeFileSync(join(dataDir, 'things', name), yaml);
  }
  const log: string[] = [];
  const program = join(import.meta.dirname, '..', 'dist', 'ledge.mjs');
  const child = spawn(process.execPath, [program, '--data', dataDir, '--http-port', String(httpPort), '--mqtt-port', String(mqttPort)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', EDGE_ADMIN_PASSWORD: ADMIN_PASSWORD, ...options.environment },
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => log.push(line));
  const url = `http://127.0.0.1:${httpPort}`;
  const appliance = new LocalAppliance(child, url, mqttPort, dataDir, log);
  try {
    await until(
      'all services to be ready',
      () =>
        child.exitCode !== null
          ? Promise.reject(new Error(`it ended with ${child.exitCode}`))
          : log.some((line) => / ready: http/.test(line)),
      READY_WITHIN_MS,
    );
    await appliance.signIn(ADMIN_PASSWORD);
    return appliance;
  } catch (error) {
    await appliance.stop();
    throw new Error(`the appliance did not start:\n${log.slice(-40).join('\n')}`, { cause: error });
  }
}

class LocalAppliance extends HttpAppliance {
  readonly url: string;
  readonly mqttPort: number;
  readonly dataDir: string;
  readonly log: string[];
  readonly slowness = 1;
  readonly #process: ChildProcess;

  constructor(child: ChildProcess, url: string, mqttPort: number, dataDir: string, log: string[]) {
    super();
    this.#process = child;
    this.url = url;
    this.mqttPort = mqttPort;
    this.dataDir = dataDir;
    this.log = log;
  }

  override async dropThing(name: string, yaml: string): Promise<number> {
    const draft = join(this.dataDir, `${name}.draft`);
    writeFileSync(draft, yaml);
    renameSync(draft, join(this.dataDir, 'things', name));
    return performance.now();
  }

  override async killProcess(pid: number): Promise<void> {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it is gone already
    }
  }

  override async childOf(parent: number, program: string): Promise<number | undefined> {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [, name, rest] = /\((.*)\) . (\d+)/.exec(stat) ?? [];
        if (name === program && Number(rest) === parent) return Number(pid);
      } catch {
        // it ended while we looked
      }
    }
    return undefined;
  }

  override async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** True when every service is ready by its own word, and live values come. */
export async function allWell(appliance: Appliance): Promise<boolean> {
  const { status, body } = await appliance.api<{ state: string; services: Record<string, string> }>('GET', '/api/server/health');
  return status === 200 && SERVICES.every((name) => body.services[name] === 'ready');
}
