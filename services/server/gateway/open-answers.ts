import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@ledge/kit';
import type { Identity } from '../auth/identify.ts';

const LOOK_EVERY_MS = 1_000;

interface Held {
  expiresMs: number;
  answers: Set<ServerResponse | Duplex>;
}

/** What is being answered, by the session or token that asked. A stream may last for months; it must not outlast the right to it. */
export class OpenAnswers {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  #stopLooking = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    // one look at a few numbers: a timer for each would be more, and cannot be set for 30 days
    this.#stopLooking = this.#clock.every(LOOK_EVERY_MS, () => {
      const now = this.#clock.now();
      for (const [grant, { expiresMs }] of this.#held) if (expiresMs <= now) this.end(grant);
    });
  }

  stop(): void {
    this.#stopLooking();
  }

  /** From now on `answer` ends with the session or token that `identity` was read from. */
  hold({ grant, expiresMs }: Identity, answer: ServerResponse | Duplex): void {
    const held = this.#held.get(grant) ?? { expiresMs, answers: new Set() };
    held.expiresMs = expiresMs; // a session that is used lasts longer
    held.answers.add(answer);
    this.#held.set(grant, held);
    answer.once('close', () => {
      held.answers.delete(answer);
      if (held.answers.size === 0) this.#held.delete(grant);
    });
  }

  /** The session or token is no more. */
  end(grant: string): void {
    for (const answer of this.#held.get(grant)?.answers ?? []) answer.destroy();
  }
}
