import { type Health, healthSchema, Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { ask, type Target } from './address.ts';

const ANSWER_WITHIN_MS = 1_500;
/** A service that is busy may miss one poll; one that refuses the connection is gone. */
const MISSES_UNTIL_LOST = 2;

export type Wellness = { kind: 'answers'; state: Health['state']; detail: string | undefined } | { kind: 'away'; why: string };

/** Asks `/health` of one service, and remembers what it heard. */
export class HealthProbe {
  readonly #clock: Clock;
  #wellness: Wellness | undefined;
  #misses = 0;
  #asking: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined until the first answer or refusal. */
  get wellness(): Wellness | undefined {
    return this.#wellness;
  }

  /** What was heard no longer counts: the service said that it started, stopped, or was lost. */
  forget(): void {
    this.#wellness = undefined;
    this.#misses = MISSES_UNTIL_LOST - 1;
  }

  /** @param target undefined when it is not known where the service listens */
  poll(target: Target | undefined, headers: Record<string, string>): Promise<void> {
    this.#asking ??= this.#poll(target, headers).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #poll(target: Target | undefined, headers: Record<string, string>): Promise<void> {
    if (!target) {
      this.#wellness = { kind: 'away', why: 'it does not listen' };
      return;
    }
    try {
      const text = await ask(this.#clock, { target, path: '/health', headers, withinMs: ANSWER_WITHIN_MS });
      const { state, detail } = healthSchema.parse(JSON.parse(text));
      this.#misses = 0;
      this.#wellness = { kind: 'answers', state, detail };
    } catch (error) {
      this.#misses++;
      const refused = error instanceof Problem && error.cause !== undefined;
      const why = error instanceof Problem ? error.message : 'its health cannot be read';
      if (refused || this.#misses >= MISSES_UNTIL_LOST) this.#wellness = { kind: 'away', why };
    }
  }
}
