import type { Clock } from '@ledge/kit';

/** What one client, and all together, may take. 0 means no limit where it says so. */
export interface Limits {
  packetBytes: number;
  connections: number;
  connectionsPerAddress: number;
  /** 0: no limit. */
  messagesPerSecond: number;
  queuedMessages: number;
  queuedBytes: number;
  queuedBytesHard: number;
  queuedBytesTotal: number;
  subscriptionsPerClient: number;
  connectTimeoutS: number;
}

/** Before a client has shown who it is, it may send this much in one packet. */
export const CONNECT_PACKET_BYTES = 16_384;
/** Unacknowledged QoS 1 and 2 messages per client; further ones wait in its queue. */
export const INFLIGHT_MESSAGES = 256;

/** Lets `perSecond` pieces through per second, and as many at once after a rest. */
export class TokenBucket {
  readonly #clock: Clock;
  #tokens = Number.POSITIVE_INFINITY;
  #filledMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledMs = clock.monotonic();
  }

  /** May one more piece pass now? */
  ready(perSecond: number): boolean {
    if (perSecond === 0) return true;
    if (this.#tokens < 1 || this.#tokens > perSecond) this.#fill(perSecond);
    return this.#tokens >= 1;
  }

  take(): void {
    this.#tokens -= 1;
  }

  #fill(perSecond: number): void {
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(perSecond, this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond);
    this.#filledMs = nowMs;
  }
}

/** Says at most one of the same kind per period, at most so many of all kinds, and how many it kept back. */
export class Seldom {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #most: number;
  readonly #said = new Map<string, { atMs: number; kept: number }>();
  #period = { fromMs: Number.NEGATIVE_INFINITY, said: 0, kept: 0 };

  constructor(clock: Clock, everyMs: number, most: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#most = most;
  }

  /** How many were kept back since the last one, or undefined when this one is to be kept back too. */
  ask(key: string): number | undefined {
    const nowMs = this.#clock.monotonic();
    const known = this.#said.get(key);
    if (known && nowMs - known.atMs < this.#everyMs) {
      known.kept += 1;
      return undefined;
    }
    if (nowMs - this.#period.fromMs >= this.#everyMs) this.#period = { ...this.#period, fromMs: nowMs, said: 0 };
    if (this.#period.said >= this.#most) {
      this.#period.kept += 1;
      return undefined;
    }
    const kept = (known?.kept ?? 0) + this.#period.kept;
    this.#period.said += 1;
    this.#period.kept = 0;
    if (this.#said.size >= 1000) this.#said.clear();
    this.#said.set(key, { atMs: nowMs, kept: 0 });
    return kept;
  }
}
