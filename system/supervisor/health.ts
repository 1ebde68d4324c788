import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Target } from '@ledge/kit';
import { getText } from '@ledge/kit/ask.ts';
import { systemClock } from '@ledge/kit/clock.ts';
import { DataDir, type Environment } from '@ledge/kit/paths.ts';

const ANSWER_WITHIN_MS = 3000;
const MISSES_UNTIL_ENDED = 3;

/** What of an answer to `GET /health` counts. The server tells of all services, itself among them. */
interface HealthAnswer {
  state?: unknown;
  services?: Record<string, unknown>;
}

/**
 * Asks a service of this machine whether it is well.
 * @returns a sentence that says what is wrong, or undefined
 */
export async function faultOf(name: string, environment: Environment, withinMs = ANSWER_WITHIN_MS): Promise<string | undefined> {
  const port = /:(\d+)$/.exec(environment.EDGE_LISTEN ?? '')?.[1];
  const target: Target = port
    ? { hostname: '127.0.0.1', host: '127.0.0.1', port: Number(port), protocol: 'http:' }
    : { socketPath: DataDir.of(environment).socketPath(name), host: 'localhost' };
  try {
    const { state, services } = JSON.parse(await getText(systemClock, { target, path: '/health', withinMs })) as HealthAnswer;
    const own = services?.[name] ?? state;
    return own === 'ready' ? undefined : `${name} is ${own}`;
  } catch (error) {
    return `${name} does not answer: ${(error as Error).message}`;
  }
}

/** How often in a row a service was not well, over many short lives of who asks. What was never well is still starting, and not counted. */
export class Misses {
  readonly #file: string;

  /** @param file gone at each start of the container */
  constructor(file: string) {
    this.#file = file;
  }

  forget(): void {
    writeFileSync(this.#file, '0');
  }

  isOneTooMany(): boolean {
    if (!existsSync(this.#file)) return false;
    const count = Number(readFileSync(this.#file, 'utf8')) + 1;
    writeFileSync(this.#file, String(count));
    return count >= MISSES_UNTIL_ENDED;
  }
}
