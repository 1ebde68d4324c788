import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { topics } from '@ledge/contract';
import type { Machine, ServiceManager } from '@ledge/host';
import { DataDir, type Environment, type RunningService, readEdge, runService, systemClock } from '@ledge/kit';
import { Aedes } from 'aedes';
import pino from 'pino';
import { serverService } from './server.ts';

export const PASSWORD = 'garden-Owl-77';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Record<string, unknown>;
}
export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** As another machine would ask: 127.0.0.2 and so on. */
  from?: string;
}

/** A server of its own, with a broker, in a temporary data directory. For tests. */
export interface TestBox extends AsyncDisposable {
  port: number;
  data: DataDir;
  environment: Environment;
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** Sets the box up and returns the cookie header of the admin. */
  signIn(): Promise<string>;
  /** A service that listens where the gateway looks for it. */
  serve(name: string, listener: RequestListener): Promise<Server>;
  /** A registry record on the bus; resolves when the gateway knows it. */
  announce(name: string, address: string, instance?: string): Promise<void>;
  restart(): Promise<void>;
  /** Publishes on the box's own bus, as another service does. */
  say(topic: string, payload: string, retain?: boolean): Promise<void>;
  stopBroker(): Promise<void>;
  edge: string;
}

export async function startBox(more: Environment = {}, ports: { manager?: ServiceManager; machine?: Machine } = {}): Promise<TestBox> {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-'));
  const broker = await startBroker();
  const environment: Environment = {
    EDGE_DATA: dir,
    EDGE_HTTP_PORT: '0',
    EDGE_MQTT_URL: broker.url,
    EDGE_WEBUI: join(dir, 'webui'),
    ...more,
  };
  const data = DataDir.of(environment);
  const servers: Server[] = [];
  let port = 0;
  const start = () =>
    runService(serverService({ environment, ...ports, onListening: (opened) => (port = opened) }), {
      environment,
      log: pino({ level: process.env.EDGE_LOG_LEVEL ?? 'silent' }),
    });
  let running: RunningService = await start();

  const ask = (path: string, { method = 'GET', headers = {}, body, from }: Ask = {}) => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const type: Record<string, string> = text === undefined ? {} : { 'content-type': 'application/json' };
    return call({ port, path, method, headers: { ...type, ...headers }, ...(from ? { localAddress: from } : {}) }, text);
  };
  return {
    get port() {
      return port;
    },
    data,
    environment,
    ask,
    async signIn() {
      const answer = await ask('/api/server/setup', { method: 'POST', body: { password: PASSWORD } });
      return cookieOf(answer);
    },
    async serve(name, listener) {
      const server = createHttpServer(listener);
      const path = data.socketPath(name);
      mkdirSync(dirname(path), { recursive: true });
      await new Promise<void>((resolve) => server.listen(path, resolve));
      servers.push(server);
      return server;
    },
    async announce(name, address, instance = randomUUID()) {
      const edge = readEdge(data, environment).id;
      const startedAt = new Date().toISOString();
      const record = { name, version: '1.0.0', summary: name, state: 'ready', address, instance, startedAt, tiles: [] };
      await broker.say(topics.service(edge, name), JSON.stringify(record), true);
      await eventually(async () => (await ask(`/api/${name}/`)).json.code !== 'not-found');
    },
    say: (topic, payload, retain = false) => broker.say(topic, payload, retain),
    stopBroker: () => broker.stop(),
    edge: readEdge(data, environment).id,
    async restart() {
      await running.stop();
      running = await start();
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await broker.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Asks again until it is so, for what no event tells. */
export async function eventually(isSo: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > untilMs) throw new Error(`it was not so within ${withinMs} ms`);
    await systemClock.sleep(20);
  }
}

export const cookieOf = (answer: Answer) => answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';

async function call(
  options: { port: number; path: string; method: string; headers: Record<string, string>; localAddress?: string },
  body?: string,
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', agent: false, ...options }, (answer: IncomingMessage) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('error', reject);
      answer.once('end', () => {
        const text = Buffer.concat(parts).toString();
        const isJson = /json/.test(answer.headers['content-type'] ?? '');
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: isJson ? JSON.parse(text) : {} });
      });
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

async function startBroker() {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (topic: string, payload: string, retain: boolean) =>
      new Promise<void>((resolve, reject) =>
        aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain, dup: false }, (error) => (error ? reject(error) : resolve())),
      ),
    async stop() {
      if (aedes.closed) return;
      await new Promise<void>((resolve) => aedes.close(resolve));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
