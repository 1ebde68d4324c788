import { topicMatches } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { Qos } from './frames.ts';
import type { Limits } from './limits.ts';
import type { LinkHouse } from './link.ts';
import type { Message } from './message.ts';
import { type Outgoing, Session, type SessionKeeper, type Way } from './session.ts';
import type { Store, StoredWill } from './store.ts';
import { SubscriptionTrie } from './trie.ts';

/** Whoever receives what was subscribed to. */
export interface Receiver {
  deliver(message: Message, granted: Qos): void;
  /** Should its publishers wait a little? See {@link Session.relief}. */
  relief?(): Promise<void> | undefined;
}

/** What a publisher has to wait for; usually nothing. */
export interface Accepted {
  /** Before it is told that we have the message. */
  written: Promise<void> | undefined;
  /** Before it may send more. */
  relief: Promise<void> | undefined;
}

/** Not written to disk: said again by the broker itself. */
const VOLATILE_PREFIX = '$';
const FAIR_SHARE_BYTES = 65_536;

export interface SessionLimits {
  retainedBytes: number;
  sessionExpiryH: number;
}

/** All sessions and retained messages, and the way of a message to those who subscribed. Memory first; the {@link Store} follows. */
export class Sessions implements SessionKeeper {
  readonly #store: Store;
  readonly #house: LinkHouse;
  readonly #limits: () => Limits & SessionLimits;
  readonly clock: Clock;
  /** Called when a limit keeps a message from a session. */
  readonly #limited: (clientId: string, limit: string, reason: string) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #subscriptions = new SubscriptionTrie<Receiver>();
  readonly #retained = new Map<string, Message>();
  #retainedBytes = 0;
  readonly #wills = new Map<string, StoredWill>();
  readonly #stored = { messages: 0, bytes: 0 };
  /** A session has written the message that is being published, and its publisher waits for that. */
  #mustWait = false;
  expired = 0;

  constructor(
    store: Store,
    house: LinkHouse,
    limits: () => Limits & SessionLimits,
    clock: Clock,
    limited: (clientId: string, limit: string, reason: string) => void,
  ) {
    this.#store = store;
    this.#house = house;
    this.#limits = limits;
    this.clock = clock;
    this.#limited = limited;
  }

  /** Reads the store. */
  load(): void {
    const { retained, sessions, wills } = this.#store.open();
    for (const message of retained) this.#keepRetained(message);
    for (const will of wills) this.#wills.set(will.clientId, will);
    for (const stored of sessions) {
      const session = new Session(stored.id, false, this);
      session.leftMs = stored.leftMs > 0 ? stored.leftMs : this.clock.now();
      this.#sessions.set(stored.id, session);
      for (const [filter, qos] of stored.subscriptions) this.#add(session, filter, qos);
      for (const packet of stored.incoming) session.incoming.add(packet);
      for (const outgoing of stored.outgoing) {
        this.#count(outgoing, 1);
        session.restore(outgoing);
      }
    }
  }

  close(): void {
    for (const session of this.#sessions.values())
      if (!session.clean && session.attached) this.#store.session(session.id, this.clock.now());
    this.#store.close();
  }

  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }
  get retainedCount(): number {
    return this.#retained.size;
  }
  get stored(): { messages: number; bytes: number } {
    return this.#stored;
  }
  get away(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (!session.attached) count += 1;
    return count;
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }
  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** The session for a client that connects now: [MQTT-3.1.2-4] and [MQTT-3.1.2-6]. */
  begin(id: string, clean: boolean): Session {
    const known = this.#sessions.get(id);
    if (known && !clean && !known.clean) {
      this.#store.session(id, 0);
      return known;
    }
    if (known) this.end(known);
    const session = new Session(id, clean, this);
    this.#sessions.set(id, session);
    if (!clean) this.#store.session(id, 0);
    return session;
  }

  /** Its client has left. */
  leave(session: Session, way: Way): void {
    if (!session.detach(way)) return;
    if (this.#sessions.get(session.id) !== session) return;
    if (session.clean) {
      this.end(session);
      return;
    }
    session.leftMs = this.clock.now();
    this.#store.session(session.id, session.leftMs);
  }

  /** Forgets a session with its subscriptions and queue. */
  end(session: Session): void {
    for (const filter of session.subscriptions.keys()) this.#subscriptions.remove(filter, session);
    session.subscriptions.clear();
    const forgotten = session.end();
    if (!session.clean) {
      for (const outgoing of forgotten) this.#count(outgoing, -1);
      this.#store.forget(session.id, forgotten);
    }
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }

  /** Ends sessions whose clients have been away for too long. */
  expire(): void {
    const { sessionExpiryH } = this.#limits();
    if (sessionExpiryH === 0) return;
    const beforeMs = this.clock.now() - sessionExpiryH * 3_600_000;
    for (const session of [...this.#sessions.values()]) {
      if (session.leftMs === undefined || session.leftMs > beforeMs) continue;
      this.expired += 1;
      this.end(session);
    }
  }

  /** Room for one more filter? */
  maySubscribe(session: Session, filter: string): boolean {
    return session.subscriptions.has(filter) || session.subscriptions.size < this.#limits().subscriptionsPerClient;
  }

  subscribe(session: Session, filter: string, qos: Qos): void {
    if (session.subscriptions.get(filter) === qos) return;
    this.#add(session, filter, qos);
    if (!session.clean) this.#store.subscribe(session.id, filter, qos);
  }
  unsubscribe(session: Session, filter: string): void {
    if (!session.subscriptions.delete(filter)) return;
    this.#subscriptions.remove(filter, session);
    if (!session.clean) this.#store.unsubscribe(session.id, filter);
  }
  #add(session: Session, filter: string, qos: Qos): void {
    session.subscriptions.set(filter, qos);
    this.#subscriptions.add(filter, session, qos);
  }

  /** A receiver inside this process. */
  listen(filter: string, receiver: Receiver): () => void {
    this.#subscriptions.add(filter, receiver, 2);
    return () => this.#subscriptions.remove(filter, receiver);
  }

  /** Keeps the message of client `from` if it is retained and gives it to everyone who subscribed. */
  publish(message: Message, from = ''): Accepted | undefined {
    let wait = false;
    if (message.retain) wait = this.#retain(message, from) && message.qos > 0;
    this.#mustWait = false;
    let relief: Promise<void> | undefined;
    for (const { holder, qos } of this.#subscriptions.match(message.topic)) {
      holder.deliver(message, qos);
      if (message.qos > 0 && qos > 0) relief ??= holder.relief?.();
    }
    if (!wait && !this.#mustWait && !relief) return undefined;
    return { written: wait || this.#mustWait ? this.#store.written() : undefined, relief };
  }

  /** True when it is being written now. */
  #retain(message: Message, from: string): boolean {
    const { topic, payload } = message;
    const before = this.#retained.get(topic);
    if (payload.length === 0) return this.#forgetRetained(topic);
    if (before && before.qos === message.qos && before.payload.equals(payload)) return false;
    const { retainedBytes } = this.#limits();
    if (this.#retainedBytes - (before?.bytes ?? 0) + message.bytes > retainedBytes) {
      this.#limited(from, 'retainedBytes', `its retained message on ${topic} is not kept: ${retainedBytes} bytes are allowed for all`);
      // the value before it is no longer true
      return this.#forgetRetained(topic);
    }
    this.#keepRetained(message.keep());
    return topic.startsWith(VOLATILE_PREFIX) ? false : this.#store.retain(message);
  }
  #forgetRetained(topic: string): boolean {
    const before = this.#retained.get(topic);
    if (!before) return false;
    this.#retained.delete(topic);
    this.#retainedBytes -= before.bytes;
    return topic.startsWith(VOLATILE_PREFIX) ? false : this.#store.forgetRetained(topic);
  }
  #keepRetained(message: Message): void {
    this.#retainedBytes += message.bytes - (this.#retained.get(message.topic)?.bytes ?? 0);
    this.#retained.set(message.topic, message);
  }

  /** Is this still what is kept for its topic? */
  isRetained({ topic, payload }: Message): boolean {
    return this.#retained.get(topic)?.payload.equals(payload) === true;
  }

  /** Retained messages that a filter matches. */
  *retained(filter: string): Generator<Message> {
    if (!/[+#]/.test(filter)) {
      const message = this.#retained.get(filter);
      if (message) yield message;
      return;
    }
    for (const [topic, message] of this.#retained) if (topicMatches(filter, topic)) yield message;
  }

  // A client's QoS 2 messages that it has not released yet ([MQTT-4.3.3-2]).
  incoming(session: Session, packet: number): void {
    session.incoming.add(packet);
    if (!session.clean) this.#store.incoming(session.id, packet);
  }
  incomingDone(session: Session, packet: number): void {
    if (session.incoming.delete(packet) && !session.clean) this.#store.incomingDone(session.id, packet);
  }

  putWill(will: StoredWill): void {
    this.#wills.set(will.clientId, will);
    this.#store.will(will);
  }
  takeWill(clientId: string): StoredWill | undefined {
    const will = this.#wills.get(clientId);
    if (this.#wills.delete(clientId)) this.#store.willDone(clientId);
    return will;
  }
  wills(): Iterable<StoredWill> {
    return this.#wills.values();
  }

  // What sessions say
  #count(outgoing: Outgoing, sign: 1 | -1): void {
    this.#stored.messages += sign;
    this.#stored.bytes += sign * outgoing.message.bytes;
  }
  store(session: Session, outgoing: Outgoing): void {
    if (outgoing.seq === 0) this.#count(outgoing, 1);
    if (this.#store.outgoing(session.id, outgoing)) this.#mustWait = true;
  }
  done(_session: Session, outgoing: Outgoing): void {
    this.#count(outgoing, -1);
    this.#store.done(outgoing);
  }
  full(session: Session): keyof Limits | undefined {
    const { queuedMessages, queuedBytesHard, queuedBytesTotal } = this.#limits();
    if (session.queuedMessages >= queuedMessages) return 'queuedMessages';
    if (session.queuedBytes >= queuedBytesHard) return 'queuedBytesHard';
    return this.#house.waitingBytes >= queuedBytesTotal && session.queuedBytes >= FAIR_SHARE_BYTES ? 'queuedBytesTotal' : undefined;
  }
  overflowed(session: Session, message: Message, limit: keyof Limits): void {
    this.#house.traffic.publishDropped += 1;
    const waiting = session.queuedMessages;
    const why = session.attached ? 'acknowledges too slowly' : 'is away';
    this.#limited(
      session.id,
      limit,
      `${why}; messages such as ${message.topic} are dropped while ${waiting} of ${session.queuedBytes} bytes wait for it`,
    );
  }
  queued(deltaBytes: number): void {
    this.#house.waitingBytes += deltaBytes;
  }
}
