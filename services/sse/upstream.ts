import { filterCovers, Problem, topicMatches } from '@ledge/contract';
import type { Bus, Clock, Logger, Message } from '@ledge/kit';

interface Held {
  filter: string;
  users: number;
  /** Everything from this number on was heard. */
  sinceSeq: number;
  subscribed: Promise<() => Promise<void>>;
  cancelLinger: (() => void) | undefined;
}
export interface UpstreamOptions {
  bus: Bus;
  clock: Clock;
  log: Logger;
  lingerMs: number;
  /** Gives the number that separates what was surely heard from what came before. */
  mark: () => number;
  /** Each live message once, however many filters it matches. */
  onMessage: (message: Message) => void;
}

const MAX_OWNERS = 20_000;
/** With those of the snapshots fewer than the broker allows one client. */
export const MAX_FILTERS = 700;
const RETRY_AFTER_S = 10;

/**
 * What sse itself subscribes to: one subscription per filter that no other covers, shared by all readers, and kept for a while after
 * the last of them left.
 */
export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #held = new Map<string, Held>();
  /** Which of several overlapping filters speaks for a topic. */
  readonly #owners = new Map<string, string>();
  #lingerMs: number;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#lingerMs = options.lingerMs;
  }

  get filters(): string[] {
    return [...this.#held.keys()];
  }
  set lingerMs(ms: number) {
    this.#lingerMs = ms;
  }

  /**
   * Listens to a filter until the returned function is called. Rejects when the broker refuses it.
   * @throws Problem `too-many-readers` when so many filters are in use that there is no room for another
   */
  async hold(filter: string): Promise<() => void> {
    const held = this.#covering(filter) ?? this.#subscribe(filter);
    held.users += 1;
    held.cancelLinger?.();
    held.cancelLinger = undefined;
    try {
      await held.subscribed;
    } catch (error) {
      this.#forget(held);
      throw error;
    }
    return () => this.#leave(held);
  }

  /** Was everything under `filter` heard since number `seq`? */
  heardSince(filter: string, seq: number): boolean {
    return (this.#covering(filter)?.sinceSeq ?? Number.POSITIVE_INFINITY) <= seq;
  }

  busConnected(): void {
    const seq = this.#options.mark();
    for (const held of this.#held.values()) held.sinceSeq = seq;
  }

  busClosed(): void {
    for (const held of this.#held.values()) held.sinceSeq = Number.POSITIVE_INFINITY;
  }

  async stop(): Promise<void> {
    const all = [...this.#held.values()];
    for (const held of all) this.#forget(held);
    await Promise.allSettled(all.map(async (held) => (await held.subscribed)()));
  }

  #covering(filter: string): Held | undefined {
    return this.#held.get(filter) ?? [...this.#held.values()].find((held) => filterCovers(held.filter, filter));
  }

  #subscribe(filter: string): Held {
    if (this.#held.size >= MAX_FILTERS) this.#makeRoom();
    const { bus, mark, onMessage } = this.#options;
    const onUpstream = (message: Message) => {
      // retained values are asked for by Snapshots, at the moment when a reader wants them
      if (!message.retained && this.#owner(message.topic) === filter) onMessage(message);
    };
    const held: Held = {
      filter,
      users: 0,
      sinceSeq: Number.POSITIVE_INFINITY,
      cancelLinger: undefined,
      subscribed: bus.subscribe(filter, onUpstream, { qos: 1 }).then((unsubscribe) => {
        if (bus.connected) held.sinceSeq = mark();
        return unsubscribe;
      }),
    };
    this.#held.set(filter, held);
    this.#owners.clear();
    return held;
  }

  #owner(topic: string): string | undefined {
    const known = this.#owners.get(topic);
    if (known !== undefined) return known;
    for (const filter of this.#held.keys()) {
      if (!topicMatches(filter, topic)) continue;
      if (this.#owners.size >= MAX_OWNERS) this.#owners.clear();
      this.#owners.set(topic, filter);
      return filter;
    }
    return undefined;
  }

  #leave(held: Held): void {
    held.users -= 1;
    if (held.users > 0 || this.#held.get(held.filter) !== held) return;
    held.cancelLinger = this.#options.clock.after(this.#lingerMs, () => this.#giveUp(held));
  }

  #makeRoom(): void {
    const unused = [...this.#held.values()].find(({ users }) => users === 0);
    if (!unused)
      throw new Problem('too-many-readers', `${MAX_FILTERS} different topic filters are listened to already`, {
        retryAfterS: RETRY_AFTER_S,
      });
    this.#giveUp(unused);
  }

  #giveUp(held: Held): void {
    this.#forget(held);
    held.subscribed
      .then((unsubscribe) => unsubscribe())
      .catch((error: unknown) => this.#options.log.warn({ filter: held.filter, err: error }, 'not unsubscribed'));
  }

  #forget(held: Held): void {
    held.cancelLinger?.();
    if (this.#held.get(held.filter) !== held) return;
    this.#held.delete(held.filter);
    this.#owners.clear();
  }
}
