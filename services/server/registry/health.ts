import { type Health, healthSchema, Problem } from '@ledge/contract';
import type { Clock, Target } from '@ledge/kit';
import { ask } from './address.ts';

const ANSWER_WITHIN_MS = 1_000;
/** A service that is busy may miss one question, and is asked again at once; one that refuses the connection is gone. */
const MISSES_UNTIL_LOST = 2;

export type Wellness = { kind: 'answers'; state: Health['state']; detail: string | undefined } | { kind: 'away'; why: string };

/** Asks `/health` of one service, and remembers what it heard. */
export class HealthProbe {
  readonly #clock: Clock;
  #wellness: Wellness | undefined;
  #everAnswered = false;
  #asking: Promise<void> | undefined;
  #round = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined until the first answer or refusal. */
  get wellness(): Wellness | undefined {
    return this.#wellness;
  }

  get everAnswered(): boolean {
    return this.#everAnswered;
  }

  /** What was heard, or is being asked, no longer counts: the service said that it started, stopped, or was lost. */
  forget(): void {
    this.#wellness = undefined;
    this.#asking = undefined;
    this.#round++;
  }

  /** @param target undefined when it is not known where the service listens */
  poll(target: Target | undefined): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const round = this.#round;
    const asking = this.#ask(target).then((wellness) => {
      if (round !== this.#round) return;
      this.#asking = undefined;
      this.#wellness = wellness;
      if (wellness.kind === 'answers') this.#everAnswered = true;
    });
    this.#asking = asking;
    return asking;
  }

  async #ask(target: Target | undefined): Promise<Wellness> {
    if (!target) return { kind: 'away', why: 'it does not listen' };
    for (let misses = 1; ; misses++) {
      try {
        const text = await ask(this.#clock, { target, path: '/health', withinMs: ANSWER_WITHIN_MS });
        const { state, detail } = healthSchema.parse(JSON.parse(text));
        return { kind: 'answers', state, detail };
      } catch (error) {
        const refused = error instanceof Problem && error.cause !== undefined;
        const why = error instanceof Problem ? error.message : 'its health cannot be read';
        if (refused || misses >= MISSES_UNTIL_LOST) return { kind: 'away', why };
      }
    }
  }
}
