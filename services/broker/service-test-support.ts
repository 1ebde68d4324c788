import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DataDir } from '@ledge/kit';
import { freePort } from './test-support.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

export interface Service extends AsyncDisposable {
  port: number;
  log: Record<string, unknown>[];
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: string }>;
  kill(): Promise<void>;
}

/** The real service in a process of its own. */
export async function service(dir: string, environment: Record<string, string> = {}): Promise<Service> {
  const port = Number(environment.EDGE_MQTT_PORT ?? (await freePort()));
  mkdirSync(join(dir, 'secrets', 'mqtt'), { recursive: true });
  for (const name of ['broker', 'device']) writeFileSync(join(dir, 'secrets', 'mqtt', name), `secret of ${name}\n`);
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, EDGE_DATA: dir, EDGE_ID: 'ledge-test', EDGE_MQTT_PORT: String(port), EDGE_LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const log: Record<string, unknown>[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry.msg === 'service ready') resolve();
    });
    child.once('exit', (code) => reject(new Error(`the broker ended with ${code}: ${JSON.stringify(log)}`)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    port,
    log,
    call: (method, path, body) => callApi(new DataDir(dir).socketPath('broker'), method, path, body),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  };
}

export function callApi(socketPath: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-ledge-user': 'anna', 'x-ledge-role': 'admin', 'content-type': 'application/json' };
    const call = request({ socketPath, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

interface Outcome {
  code: number | null;
  out: string;
  err: string;
}
type Mosquitto = ChildProcessByStdio<null, Readable, Readable>;

export function mosquitto(
  tool: 'mosquitto_pub' | 'mosquitto_sub',
  port: number,
  ...options: string[]
): { child: Mosquitto; outcome: Promise<Outcome> } {
  const child = spawn(tool, ['-h', '127.0.0.1', '-p', String(port), ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const outcome = new Promise<Outcome>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
  return { child, outcome };
}

export const GARDENER = { name: 'gardener', password: 'green tomatoes', rules: [{ filter: 'garden/#', access: 'both' }] };
export const AS_GARDENER = ['-u', 'gardener', '-P', 'green tomatoes'];
