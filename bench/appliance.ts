import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@ledge/testing';

const ROOT = join(import.meta.dirname, '..');
const PASSWORD = 'a quiet brown heron';
const READY_WITHIN_MS = 30_000;

/** A whole Ledge with its data in a temporary directory. */
export interface Appliance extends AsyncDisposable {
  url: string;
  mqttPort: number;
  dataDir: string;
  edge: string;
  token: string;
  /** From the start of the process until every service is ready. */
  startMs: number;
  api<T>(method: string, path: string, body?: object): Promise<T>;
}

/** Starts `dist/ledge.mjs`, or the sources where it was not built. */
export async function startAppliance(): Promise<Appliance> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledge-bench-'));
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const bundle = join(ROOT, 'dist', 'ledge.mjs');
  const program = existsSync(bundle) ? bundle : join(ROOT, 'system', 'supervisor', 'main.ts');
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, '--data', dataDir, '--http-port', String(httpPort), '--mqtt-port', String(mqttPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1', EDGE_ADMIN_PASSWORD: PASSWORD },
  });
  const url = `http://127.0.0.1:${httpPort}`;
  const last: string[] = [];
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const tooLong = setTimeout(() => reject(new Error(`it was not ready after ${READY_WITHIN_MS} ms`)), READY_WITHIN_MS);
      child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        last.push(line);
        if (!/ ready: http/.test(line)) return;
        clearTimeout(tooLong);
        resolve();
      });
    });
    const startMs = performance.now() - startedMs;
    return { url, mqttPort, dataDir, startMs, ...(await signedIn(url)), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw new Error(`the appliance did not start:\n${last.slice(-20).join('\n')}`, { cause: error });
  }
}

async function signedIn(url: string): Promise<Pick<Appliance, 'edge' | 'token' | 'api'>> {
  const call = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const login = await call('POST', '/api/server/login', {}, { name: 'admin', password: PASSWORD });
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const made = await call('POST', '/api/server/tokens', { cookie, origin: url }, { name: 'bench', role: 'admin', expiresInDays: 1 });
  const { token } = (await made.json()) as { token: string };
  const api = async <T>(method: string, path: string, body?: object) =>
    (await (await call(method, path, { authorization: `Bearer ${token}` }, body)).json()) as T;
  const { edge } = await api<{ edge: string }>('GET', '/api/server/health');
  return { edge, token, api };
}
