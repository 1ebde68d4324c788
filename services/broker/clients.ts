import type { BrokerClient } from '@ledge/contract';
import type { Clock } from '@ledge/kit';

const REMEMBERED_MOST = 500;
type Left = NonNullable<BrokerClient['lastLeft']>;

/** Remembers clients that have left, and why: the last {@link REMEMBERED_MOST} of them. */
export class ClientList {
  readonly #clock: Clock;
  readonly #left = new Map<string, { client: BrokerClient; left: Left }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  left(client: BrokerClient, reason: string): void {
    this.#left.delete(client.client);
    this.#left.set(client.client, {
      client: { ...client, connected: false },
      left: { time: new Date(this.#clock.now()).toISOString(), reason },
    });
    const [oldest] = this.#left.keys();
    if (this.#left.size > REMEMBERED_MOST && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Those the engine knows now, with why they left last time, then those that are gone; the latest first. */
  list(now: readonly BrokerClient[]): BrokerClient[] {
    const known = new Set(now.map(({ client }) => client));
    const current = now.map((client) => {
      const before = this.#left.get(client.client);
      if (!before) return client;
      // of a session whose client is away the engine knows only the queue
      const facts = client.connected ? client : { ...before.client, ...queueOf(client) };
      return { ...facts, lastLeft: before.left };
    });
    const gone = [...this.#left.values()].filter(({ client }) => !known.has(client.client));
    return [...current, ...gone.reverse().map(({ client, left }) => ({ ...client, queuedMessages: 0, queuedBytes: 0, lastLeft: left }))];
  }
}

const queueOf = ({ queuedMessages, queuedBytes, subscriptions }: BrokerClient) => ({ queuedMessages, queuedBytes, subscriptions });
