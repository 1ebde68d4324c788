import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { until } from '@ledge/testing';
import { buildProject } from '../tools/project.ts';
import type { Appliance } from './appliance.ts';

/** A service that answers a word at `/say`, and shows it in a tile. */
export const serviceSource = (name: string, word: string, version = '1.0.0') => `import { defineService, operation, z } from '@ledge/sdk';
const say = operation({ method: 'get', path: '/say', summary: 'Says it', for: 'viewer', response: z.object({ value: z.string() }) });
export default defineService({
  name: '${name}',
  version: '${version}',
  summary: 'Says ${word}',
  settings: z.object({}),
  tiles: [{ title: 'Word', path: 'say' }],
  start({ api }) {
    api.handle(say, () => ({ value: '${word}' }));
    return {};
  },
});
`;

/** One process of it. */
export interface ByHand {
  readonly process: ChildProcess;
  /** What it printed so far. */
  readonly said: string;
  /** Resolves when it says itself that it is ready. */
  ready(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** The service `chime`, in two versions, as somebody starts it by hand beside a box: nobody supervises it. Its word is `chime <version>`. */
export class ServiceByHand {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ledge-by-hand-'));
  readonly #running: ByHand[] = [];

  async build(): Promise<void> {
    for (const version of ['1.0.0', '2.0.0']) {
      const dir = join(this.#folder, version);
      const write = (name: string, text: string) => {
        mkdirSync(dirname(join(dir, name)), { recursive: true });
        writeFileSync(join(dir, name), text);
      };
      write('package.json', JSON.stringify({ name: 'by-hand', version }));
      write('services/chime/service.ts', serviceSource('chime', `chime ${version}`, version));
      await buildProject(dir, join(dir, 'dist'));
    }
  }

  start(box: Appliance, version: '1.0.0' | '2.0.0', environment: Readonly<Record<string, string>> = {}): ByHand {
    const child = spawn(process.execPath, [join(this.#folder, version, 'dist', 'chime.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, EDGE_DATA: box.dataDir, EDGE_MQTT_PORT: String(box.mqttPort), ...environment },
    });
    let said = '';
    child.stdout.on('data', (part) => (said += part));
    const started: ByHand = {
      process: child,
      get said() {
        return said;
      },
      ready: async () => void (await until('the service to be ready', () => said.includes('service ready'))),
      async stop(signal = 'SIGTERM') {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill(signal);
        await ended;
      },
    };
    this.#running.push(started);
    return started;
  }

  /** Stops every process of it that still runs. */
  async stopAll(): Promise<void> {
    for (const one of this.#running.splice(0)) await one.stop();
  }

  async remove(): Promise<void> {
    await this.stopAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
