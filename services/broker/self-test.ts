import { randomUUID } from 'node:crypto';
import type { Clock } from '@ledge/kit';
import type { Engine } from './engine.ts';

const TOPIC = '$ledge/self-test';
const WITHIN_MS = 2000;

/** Is the engine alive? It must know of no fault, and a message must travel through it. */
export class SelfTest {
  readonly #engine: Engine;
  readonly #clock: Clock;

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Throws when it is not well. */
  async run(): Promise<void> {
    const { fault } = this.#engine;
    if (fault !== undefined) throw new Error(fault);
    const sent = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(WITHIN_MS, () => reject(new Error(`a message did not come back within ${WITHIN_MS} ms`)));
    const listening = this.#engine.listen(TOPIC, ({ payload }) => {
      if (payload.toString() === sent) resolve();
    });
    try {
      await Promise.race([listening, promise]);
      // not in this call: it must come through the event loop
      setImmediate(() => this.#engine.publish(TOPIC, Buffer.from(sent)));
      await promise;
    } finally {
      cancel();
      void listening.then((stop) => stop());
    }
  }
}
