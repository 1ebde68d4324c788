import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AccessRule, ServiceView } from '@ledge/contract';
import { freePort, until } from '@ledge/testing';

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
  readonly dataDir: string;
  readonly edge: string;
  /** A bearer token of an admin. */
  readonly token: string;
  api<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  services(): Promise<ServiceView[]>;
  pidOf(service: ServiceName): Promise<number>;
  kill(service: ServiceName): Promise<void>;
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

/** Starts `dist/ledge.mjs` (made by `./build.sh build`) on free ports; resolves when every service is ready. */
export async function startAppliance(options: ApplianceOptions = {}): Promise<Appliance> {
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
    await appliance.signIn();
    return appliance;
  } catch (error) {
    await appliance.stop();
    throw new Error(`the appliance did not start:\n${log.slice(-40).join('\n')}`, { cause: error });
  }
}

class LocalAppliance implements Appliance {
  readonly url: string;
  readonly mqttPort: number;
  readonly dataDir: string;
  readonly log: string[];
  edge = '';
  token = '';
  readonly #process: ChildProcess;

  constructor(child: ChildProcess, url: string, mqttPort: number, dataDir: string, log: string[]) {
    this.#process = child;
    this.url = url;
    this.mqttPort = mqttPort;
    this.dataDir = dataDir;
    this.log = log;
  }

  async signIn(): Promise<void> {
    const health = await until('the server', async () => {
      const answer = await this.api<{ edge: string; setupNeeded: boolean }>('GET', '/api/server/health');
      return answer.status === 200 && answer.body;
    });
    this.edge = health.edge;
    const login = await fetch(`${this.url}/api/server/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password: ADMIN_PASSWORD }),
    });
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const made = await this.api<{ token: string }>(
      'POST',
      '/api/server/tokens',
      { name: 'acceptance', role: 'admin', expiresInDays: 1 },
      { cookie, origin: this.url },
    );
    if (made.status !== 200) throw new Error(`no token: ${JSON.stringify(made)}`);
    this.token = made.body.token;
  }

  async api<T = unknown>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token && !headers.cookie ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: (isJson ? JSON.parse(text) : text) as T };
  }

  async services(): Promise<ServiceView[]> {
    return (await this.api<ServiceView[]>('GET', '/api/server/services')).body;
  }

  async pidOf(service: ServiceName): Promise<number> {
    return await until(`a process of ${service}`, async () => (await this.services()).find((view) => view.name === service)?.pid);
  }

  async kill(service: ServiceName): Promise<void> {
    process.kill(await this.pidOf(service), 'SIGKILL');
  }

  async addMqttUser(name: string, password: string, rules: AccessRule[]): Promise<void> {
    const { status, body } = await this.api('POST', '/api/broker/users', { name, password, rules });
    if (status !== 200) throw new Error(`user ${name} was not made: ${JSON.stringify(body)}`);
  }

  async stop(): Promise<void> {
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
