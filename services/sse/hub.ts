import { type AccessRule, maySubscribe, Problem, shown } from '@ledge/contract';
import type { Bus, Clock, Logger, Message } from '@ledge/kit';
import type { Settings } from './config.ts';
import { eventFrame, HEARTBEAT, messageFrame, retryFrame } from './frames.ts';
import { Reader, type Sink } from './reader.ts';
import { Replay } from './replay.ts';
import { Snapshots } from './snapshots.ts';
import { Upstream } from './upstream.ts';

/** How long a browser waits before it comes back by itself. */
const RETRY_MS = 2000;
const RETRY_AFTER_S = 10;
const MAX_ROUTES = 20_000;

export interface HubOptions {
  bus: Bus;
  clock: Clock;
  log: Logger;
  /** Hexadecimal name of this process, for event ids. */
  instance: string;
  settings: Settings;
}
export interface JoinRequest {
  filters: readonly string[];
  rules: readonly AccessRule[];
  lastEventId?: string | undefined;
  /** Called when the reader is let in, not before: a refusal is still an ordinary answer. */
  open: () => Sink;
}

/** Readers of the stream: each message becomes bytes once and goes to everyone whose filters match. */
export class Hub {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #replay: Replay;
  readonly #snapshots: Snapshots;
  readonly #upstream: Upstream;
  readonly #readers = new Map<Reader, () => void>();
  /** Readers by topic, kept right at each coming and going. */
  readonly #routes = new Map<string, Set<Reader>>();
  #settings: Settings;
  #joining = 0;
  #stops: (() => void)[] = [];
  #stopHeartbeat: (() => void) | undefined;
  readonly counters = { messages: 0, dropped: 0, stuck: 0 };

  constructor({ bus, clock, log, instance, settings }: HubOptions) {
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
    this.#settings = settings;
    this.#replay = new Replay(instance, { messages: settings.replayMessages, bytes: settings.replayBytes });
    this.#snapshots = new Snapshots({ bus, clock, log });
    this.#upstream = new Upstream({
      bus,
      clock,
      log,
      lingerMs: settings.lingerS * 1000,
      mark: () => this.#replay.mark(),
      onMessage: (message) => this.#spread(message),
    });
  }

  get readers(): number {
    return this.#readers.size;
  }
  get replayBytes(): number {
    return this.#replay.bytes;
  }
  get queuedBytes(): number {
    return [...this.#readers.keys()].reduce((sum, reader) => sum + reader.queuedBytes, 0);
  }
  get filters(): string[] {
    return this.#upstream.filters;
  }

  start(): void {
    this.#stops = [this.#bus.onConnect(() => this.#busConnected()), this.#bus.onClose(() => this.#busClosed())];
    this.#startHeartbeat();
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stopHeartbeat?.();
    this.#snapshots.cancel();
    this.dismiss();
    await this.#upstream.stop();
  }

  /** Takes changed settings over; limits of one reader count for those who come from now on. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.#replay.limits = { messages: settings.replayMessages, bytes: settings.replayBytes };
    this.#upstream.lingerMs = settings.lingerS * 1000;
    this.#startHeartbeat();
  }

  /**
   * Lets a reader in: what it missed since its last id, or the retained values; then live messages until {@link leave}.
   * @throws Problem `not-allowed`, `too-many-readers`, `bus-away`
   */
  async join(request: JoinRequest): Promise<Reader> {
    const filters = [...new Set(request.filters)];
    for (const filter of filters) {
      if (!maySubscribe(request.rules, filter))
        throw new Problem('not-allowed', `topic is ${shown(filter)}; your role may not read all of it`);
    }
    const { maxReaders } = this.#settings;
    if (this.#readers.size + this.#joining >= maxReaders) {
      throw new Problem('too-many-readers', `${maxReaders} streams are open already; close one first`, { retryAfterS: RETRY_AFTER_S });
    }
    this.#joining += 1;
    try {
      const release = await this.#hold(filters);
      return this.#letIn(filters, request, release);
    } finally {
      this.#joining -= 1;
    }
  }

  /** Ends a reader and gives back everything that was held for it. */
  leave(reader: Reader): void {
    const release = this.#readers.get(reader);
    reader.close();
    if (!release) return;
    this.#readers.delete(reader);
    for (const readers of this.#routes.values()) readers.delete(reader);
    release();
  }

  /** Ends all readers; browsers come back by themselves. Tells how many there were. */
  dismiss(): number {
    const readers = [...this.#readers.keys()];
    for (const reader of readers) this.leave(reader);
    return readers.length;
  }

  async #hold(filters: readonly string[]): Promise<() => void> {
    const results = await Promise.allSettled(filters.map((filter) => this.#upstream.hold(filter)));
    const releases = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const release = () => {
      for (const one of releases) one();
    };
    const refused = results.find((result) => result.status === 'rejected');
    if (!refused) return release;
    release();
    throw refused.reason;
  }

  #letIn(filters: readonly string[], { rules, lastEventId, open }: JoinRequest, release: () => void): Reader {
    const { queueMessages, queueBytes, stuckS } = this.#settings;
    const reader: Reader = new Reader({
      filters,
      rules,
      sink: open(),
      clock: this.#clock,
      limits: { queueMessages, queueBytes, stuckMs: stuckS * 1000 },
      onDrop: (count) => {
        this.counters.dropped += count;
      },
      onStuck: () => {
        this.counters.stuck += 1;
        this.#log.info({ filters, stuckS }, 'stuck reader closed');
        this.leave(reader);
      },
    });
    this.#readers.set(reader, release);
    for (const [topic, readers] of this.#routes) if (reader.filterFor(topic) !== undefined) readers.add(reader);
    reader.start();
    reader.sendNow(retryFrame(RETRY_MS));
    reader.sendNow(eventFrame('bus', { connected: this.#bus.connected }));

    const seq = lastEventId === undefined ? undefined : this.#replay.seqOf(lastEventId);
    if (seq !== undefined && this.#replay.reachesBack(seq) && filters.every((f) => this.#upstream.heardSince(f, seq))) {
      this.#replayTo(reader, seq);
      return reader;
    }
    if (lastEventId !== undefined) reader.sendNow(eventFrame('gap', { missed: true }));
    reader.holdBack(this.#replay.lastId);
    if (this.#bus.connected) for (const filter of filters) this.#snapshots.ask(filter, reader);
    return reader;
  }

  #replayTo(reader: Reader, seq: number): void {
    for (const { topic, frame } of this.#replay.after(seq)) if (reader.filterFor(topic) !== undefined) reader.sendNow(frame);
    for (const filter of reader.filters) reader.sendNow(eventFrame('live', { topic: filter }, this.#replay.lastId));
  }

  #spread(message: Message): void {
    this.counters.messages += 1;
    const frame = this.#replay.add(message.topic, (id) => messageFrame({ topic: message.topic, payload: message.payload }, id));
    for (const reader of this.#route(message.topic)) reader.send(frame);
  }

  #route(topic: string): Set<Reader> {
    const known = this.#routes.get(topic);
    if (known) return known;
    const readers = new Set([...this.#readers.keys()].filter((reader) => reader.filterFor(topic) !== undefined));
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    this.#routes.set(topic, readers);
    return readers;
  }

  /** What came while the broker was away is lost to us; what it and the publishers hold now is said again to everyone. */
  #busConnected(): void {
    this.#upstream.busConnected();
    this.#tellAll(eventFrame('bus', { connected: true }));
    for (const reader of this.#readers.keys()) {
      reader.holdBack(this.#replay.lastId);
      for (const filter of reader.filters) this.#snapshots.ask(filter, reader);
    }
  }

  #busClosed(): void {
    this.#upstream.busClosed();
    this.#snapshots.cancel();
    this.#tellAll(eventFrame('bus', { connected: false }));
  }

  #tellAll(frame: Buffer): void {
    for (const reader of this.#readers.keys()) reader.sendNow(frame);
  }

  #startHeartbeat(): void {
    this.#stopHeartbeat?.();
    this.#stopHeartbeat = this.#clock.every(this.#settings.heartbeatS * 1000, () => {
      for (const reader of this.#readers.keys()) reader.beat(HEARTBEAT);
    });
  }
}
