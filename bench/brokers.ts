import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSecret } from '@ledge/kit';
import { findProgram, freePort, until } from '@ledge/testing';

const ROOT = join(import.meta.dirname, '..');
const READY_WITHIN_MS = 20_000;

export interface RunningBroker extends AsyncDisposable {
  port: number;
  pid: number;
}
export interface BrokerKind {
  name: string;
  /** Why it cannot be measured here. */
  missing?: string;
  start(): Promise<RunningBroker>;
}

/** A bundle where there is one, as on the image; else the sources. */
export const programOf = (name: string) => {
  const bundle = join(ROOT, 'dist', `${name}.mjs`);
  return existsSync(bundle) ? bundle : join(ROOT, 'services', name, 'main.ts');
};

async function running(
  port: number,
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  directory: string,
): Promise<RunningBroker> {
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...environment } });
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const broker: RunningBroker = {
    port,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await until(`${program} ${args.join(' ')} to listen`, () => answers(port, failure, child), READY_WITHIN_MS);
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
  return broker;
}

async function answers(port: number, failure: Error | undefined, child: ChildProcess): Promise<boolean> {
  if (failure || child.exitCode !== null) throw failure ?? new Error(`it ended with ${child.exitCode}`);
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

const temporary = () => mkdtemp(join(tmpdir(), 'ledge-bench-'));

const ours: BrokerKind = {
  name: 'Ledge broker',
  async start() {
    const directory = await temporary();
    const port = await freePort();
    for (const service of ['broker', 'device', 'sse', 'media', 'server']) ensureSecret(join(directory, 'secrets', 'mqtt', service));
    // only what the others have not got is switched off: the brake for one client that floods
    const environment = {
      EDGE_DATA: directory,
      EDGE_MQTT_PORT: String(port),
      EDGE_LOG_LEVEL: 'warn',
      EDGE_BROKER_MESSAGES_PER_SECOND: '0',
      EDGE_BROKER_ALLOW_ANONYMOUS: 'true',
      EDGE_BROKER_ANONYMOUS_RULES: JSON.stringify([{ filter: '#', access: 'both' }]),
    };
    return running(port, process.execPath, [programOf('broker')], environment, directory);
  },
};

const plainAedes: BrokerKind = {
  name: 'plain aedes',
  async start() {
    const port = await freePort();
    return running(port, process.execPath, [join(import.meta.dirname, 'plain-aedes.ts'), String(port)], {}, await temporary());
  },
};

function mosquitto(): BrokerKind {
  const program = findProgram('mosquitto');
  return {
    name: 'mosquitto',
    ...(program ? {} : { missing: 'mosquitto is not installed (Debian: apt-get install mosquitto)' }),
    async start() {
      const directory = await temporary();
      const port = await freePort();
      const config = join(directory, 'mosquitto.conf');
      // as many as our broker's default; its own of 1000 loses most of a burst at QoS 1
      await writeFile(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 20000\n`);
      return running(port, program ?? 'mosquitto', ['-c', config], {}, directory);
    },
  };
}

export const brokerKinds = (): BrokerKind[] => [ours, plainAedes, mosquitto()];
