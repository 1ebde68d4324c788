import { topicMatches } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { ackFrame, publishFrame, type Qos, TYPE, withId } from './frames.ts';
import { INFLIGHT_MESSAGES, type Limits } from './limits.ts';
import type { Message } from './message.ts';

/** A QoS 1 or 2 message on its way to one client. */
export interface Outgoing {
  /** Number in the store; 0 while it is not there. */
  seq: number;
  message: Message;
  qos: 1 | 2;
  /** Packet identifier once it was sent, perhaps on an earlier connection; 0 before. */
  id: number;
  /** QoS 2: the client has said PUBREC. */
  received: boolean;
  /** Retained messages that a subscription asked for carry the flag: [MQTT-3.3.1-8]. */
  retain: boolean;
}

/** The way to a connected client, as its session sees it. */
export interface Way {
  /** May this topic be delivered to the client that is connected now? */
  mayReceive(topic: string): boolean;
  /** Takes a QoS 0 message, or drops it when the client reads too slowly. */
  offer(frame: Buffer, payloadBytes: number): void;
  /** Takes a packet that must not be lost. `payloadBytes` is given for PUBLISH only. */
  send(frame: Buffer, payloadBytes?: number): void;
}

/** What a session tells whoever keeps it. */
export interface SessionKeeper {
  /** To be stored, or stored again because it changed. */
  store(session: Session, outgoing: Outgoing): void;
  /** Needs no storing any more. */
  done(session: Session, outgoing: Outgoing): void;
  /** The limit that keeps one more message from this session's queue. */
  full(session: Session): keyof Limits | undefined;
  /** A message for this session was dropped by a limit. */
  overflowed(session: Session, message: Message, limit: keyof Limits): void;
  /** What waits in queues has grown, or shrunk, by so many bytes. */
  queued(deltaBytes: number): void;
  readonly clock: Clock;
}

/** Publishers of QoS 1 and 2 are held while more than this waits for a client that keeps acknowledging. */
const PRESSING_MESSAGES = 5000;
/** That long at a time, */
const PATIENCE_MS = 50;
/**
 * and only for a client that acknowledges so many meanwhile, or else not again for a while: a slow client slows nobody. One that acknowledges
 * fewer may be held up by a busy machine, and has a few such times in a row.
 */
const BRISK_MESSAGES = 50;
const SLOW_TIMES = 3;
const IMPATIENT_MS = 5000;

/**
 * What MQTT calls the session state (3.1.2.4), and delivery to its client: at most {@link INFLIGHT_MESSAGES} unacknowledged at a
 * time, the rest waits in order.
 */
export class Session {
  readonly id: string;
  readonly clean: boolean;
  readonly subscriptions = new Map<string, Qos>();
  /** Packet identifiers of QoS 2 messages from the client that it has not released yet. */
  readonly incoming = new Set<number>();
  /** Wall-clock time when the client left, while it is away. */
  leftMs: number | undefined;
  readonly #keeper: SessionKeeper;
  #way: Way | undefined;
  #waiting: Outgoing[] = [];
  #head = 0;
  readonly #inflight = new Map<number, Outgoing>();
  #lastId = 0;
  #bytes = 0;
  #acknowledgements = 0;
  #patientFromMs = Number.NEGATIVE_INFINITY;
  #slowTimes = 0;
  #relief: { promise: Promise<void>; resolve(): void } | undefined;

  constructor(id: string, clean: boolean, keeper: SessionKeeper) {
    this.id = id;
    this.clean = clean;
    this.#keeper = keeper;
  }

  get attached(): boolean {
    return this.#way !== undefined;
  }
  get queuedMessages(): number {
    return this.#waiting.length - this.#head + this.#inflight.size;
  }
  get queuedBytes(): number {
    return this.#bytes;
  }

  /** From now on messages go this way, beginning with those that were sent and not acknowledged, under their old identifiers ([MQTT-4.4.0-1]). */
  attach(way: Way): void {
    this.#way = way;
    this.leftMs = undefined;
    for (const outgoing of this.#inflight.values()) this.#transmit(outgoing, true);
    this.#sendWaiting();
  }

  /** False when another connection has taken over. */
  detach(way: Way): boolean {
    if (this.#way !== undefined && this.#way !== way) return false;
    this.#way = undefined;
    this.#relief?.resolve();
    return true;
  }

  /** Puts a message back that was stored before a restart. */
  restore(outgoing: Outgoing): void {
    if (outgoing.id > 0) this.#inflight.set(outgoing.id, outgoing);
    else this.#waiting.push(outgoing);
    this.#grow(outgoing.message.bytes);
  }

  /** Forgets all that waits, and returns it. */
  end(): Outgoing[] {
    const forgotten = [...this.#inflight.values(), ...this.#waiting.slice(this.#head)];
    this.#waiting = [];
    this.#head = 0;
    this.#inflight.clear();
    this.#grow(-this.#bytes);
    return forgotten;
  }

  #grow(deltaBytes: number): void {
    this.#bytes += deltaBytes;
    this.#keeper.queued(deltaBytes);
  }

  deliver(message: Message, granted: Qos): void {
    const qos = Math.min(message.qos, granted) as Qos;
    if (qos === 0) {
      if (this.#way?.mayReceive(message.topic)) this.#way.offer(message.frame(0), message.payload.length);
      return;
    }
    this.#enqueue(message, qos as 1 | 2, false);
  }

  /** A retained message for a new subscription; the highest QoS that any matching filter was granted. */
  deliverRetained(message: Message): void {
    if (!this.#way?.mayReceive(message.topic)) return;
    let granted: Qos = 0;
    for (const [filter, qos] of this.subscriptions) if (qos > granted && topicMatches(filter, message.topic)) granted = qos;
    const qos = Math.min(message.qos, granted) as Qos;
    if (qos === 0) this.#way.send(publishFrame(message.topic, message.payload, 0, true), message.payload.length);
    else this.#enqueue(message, qos as 1 | 2, true);
  }

  #enqueue(message: Message, qos: 1 | 2, retain: boolean): void {
    if (this.#way ? !this.#way.mayReceive(message.topic) : this.clean) return;
    const limit = this.#keeper.full(this);
    if (limit) {
      this.#keeper.overflowed(this, message, limit);
      return;
    }
    const outgoing: Outgoing = { seq: 0, message, qos, id: 0, received: false, retain };
    this.#grow(message.bytes);
    const atOnce = this.#way !== undefined && this.#head === this.#waiting.length && this.#inflight.size < INFLIGHT_MESSAGES;
    if (!this.clean) this.#keeper.store(this, outgoing);
    if (!atOnce || !this.clean) message.keep();
    if (atOnce) this.#send(outgoing);
    else this.#waiting.push(outgoing);
  }

  #sendWaiting(): void {
    while (this.#way && this.#inflight.size < INFLIGHT_MESSAGES) {
      const next = this.#waiting[this.#head];
      if (!next) break;
      this.#head += 1;
      if (this.#way.mayReceive(next.message.topic)) this.#send(next);
      else this.#finish(next);
    }
    if (this.#head > 1024 || this.#head === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  #send(outgoing: Outgoing): void {
    outgoing.id = this.#freeId();
    this.#inflight.set(outgoing.id, outgoing);
    // exactly once across our own end needs the identifier in the store
    if (!this.clean && outgoing.qos === 2) this.#keeper.store(this, outgoing);
    this.#transmit(outgoing, false);
  }

  #transmit({ message, qos, retain, id, received }: Outgoing, again: boolean): void {
    if (received) {
      this.#way?.send(ackFrame(TYPE.pubrel, id));
      return;
    }
    const template = retain ? publishFrame(message.topic, message.payload, qos, true) : message.frame(qos);
    this.#way?.send(withId(template, id, again), message.payload.length);
  }

  /** Identifiers in use are at most {@link INFLIGHT_MESSAGES}, so a free one is near. */
  #freeId(): number {
    do this.#lastId = (this.#lastId % 65_535) + 1;
    while (this.#inflight.has(this.#lastId));
    return this.#lastId;
  }

  /** PUBACK, or PUBCOMP. */
  acknowledged(id: number): void {
    const outgoing = this.#inflight.get(id);
    if (!outgoing) return;
    this.#inflight.delete(id);
    this.#acknowledgements += 1;
    this.#finish(outgoing);
    this.#sendWaiting();
    if (this.#relief && this.queuedMessages < PRESSING_MESSAGES / 2) this.#relief.resolve();
  }

  /**
   * When a burst is more than this client can take at once, and it does take it: resolves when there is room again, after some milliseconds
   * at the latest. Undefined when nobody should wait, because there is room or because the client does not keep up at all.
   */
  relief(): Promise<void> | undefined {
    if (!this.#way || this.queuedMessages <= PRESSING_MESSAGES) return undefined;
    const { clock } = this.#keeper;
    if (clock.monotonic() < this.#patientFromMs) return undefined;
    if (this.#relief) return this.#relief.promise;
    const relief = Promise.withResolvers<void>();
    const before = this.#acknowledgements;
    const startMs = clock.monotonic();
    const cancel = clock.after(PATIENCE_MS, () => {
      // a broker that comes late itself has not read what was acknowledged meanwhile
      const isLate = clock.monotonic() - startMs >= 2 * PATIENCE_MS;
      if (!isLate) this.#judge(this.#acknowledgements - before);
      relief.resolve();
    });
    this.#relief = relief;
    return relief.promise.then(() => {
      cancel();
      if (this.#relief === relief) this.#relief = undefined;
    });
  }

  #judge(acknowledged: number): void {
    this.#slowTimes = acknowledged >= BRISK_MESSAGES ? 0 : this.#slowTimes + 1;
    if (acknowledged > 0 && this.#slowTimes < SLOW_TIMES) return;
    this.#slowTimes = 0;
    this.#patientFromMs = this.#keeper.clock.monotonic() + IMPATIENT_MS;
  }

  /** PUBREC. Answered even when it is not known, or the client would ask for ever. */
  received(id: number): void {
    const outgoing = this.#inflight.get(id);
    if (outgoing && !outgoing.received) {
      outgoing.received = true;
      if (!this.clean) this.#keeper.store(this, outgoing);
    }
    this.#way?.send(ackFrame(TYPE.pubrel, id));
  }

  #finish(outgoing: Outgoing): void {
    this.#grow(-outgoing.message.bytes);
    if (!this.clean) this.#keeper.done(this, outgoing);
  }
}
