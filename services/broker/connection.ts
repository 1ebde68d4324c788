import type { Duplex } from 'node:stream';
import { type BrokerClient, topicFault } from '@ledge/contract';
import { AedesSocket, type SocketOwner } from './aedes-parts.ts';
import type { Admission, ClientFacts, ClientRights } from './engine.ts';
import { ackFrame, Fault, FrameCutter, type Publish, packetType, parseAckId, parsePublish, TYPE } from './frames.ts';
import { CONNECT_PACKET_BYTES, type Limits } from './limits.ts';
import { Link, type LinkHouse, type LinkOwner, type Peer } from './link.ts';
import type { Accepted } from './listeners.ts';
import { Message } from './message.ts';
import type { Session, Way } from './session.ts';
import type { Sessions } from './sessions.ts';

/** What the CONNECT packet said. */
export interface Greeting {
  protocolVersion: number;
  clientId: string;
  clean: boolean;
  keepaliveS: number;
  user: string | undefined;
  willTopic: string | undefined;
}

/** What a connection asks and tells its engine. */
export interface ConnectionHouse extends LinkHouse {
  readonly sessions: Sessions;
  /** aedes takes the other end. */
  attach(socket: AedesSocket): void;
  limited(facts: ClientFacts, limit: string, reason: string): void;
  closed(connection: Connection, reason: string): void;
}

/** A connected client whose queue is longer than this gets further retained messages only as it acknowledges. */
const RETAINED_AHEAD_MESSAGES = 1000;
/** MQTT 3.1.1, 3.1.2.10: one and a half times the keep alive. */
const KEEPALIVE_GRACE = 1.5;
const GOODBYE_MS = 1000;
const TOPICS_REMEMBERED = 10_000;

const soundTopics = new Set<string>();
/** What is wrong with a topic; the sound ones are remembered, since the same come again and again. */
function faultOf(topic: string): string | undefined {
  if (soundTopics.has(topic)) return undefined;
  const fault = topicFault(topic);
  if (fault) return fault;
  if (soundTopics.size >= TOPICS_REMEMBERED) soundTopics.clear();
  soundTopics.add(topic);
  return undefined;
}

/**
 * One client's connection. PUBLISH with QoS 0 and 1 and acknowledgements are dealt with here, in turns; everything else of the
 * protocol goes through to aedes, and packets behind it wait for its answer.
 */
export class Connection implements LinkOwner, SocketOwner, Way, Accepted {
  readonly link: Link;
  greeting: Greeting | undefined;
  admission: Admission | undefined;
  session: Session | undefined;
  readonly sinceMs: number;
  established = false;
  /** Said before the socket is closed, when we know better than the socket why. */
  why: string | undefined;
  /** Keeps aedes from publishing the will when this ends. */
  forgoWill: (() => void) | undefined;
  readonly #startedMs: number;
  readonly #house: ConnectionHouse;
  readonly #socket: AedesSocket;
  readonly #answers = new FrameCutter();
  #awaiting = false;
  #socketFull = false;
  #goodbye = false;
  #held = false;
  #acking: Promise<void> | undefined;
  #waiters: (() => void)[] = [];

  constructor(stream: Duplex, peer: Peer, house: ConnectionHouse) {
    this.#house = house;
    this.sinceMs = house.clock.now();
    this.#startedMs = house.clock.monotonic();
    this.link = new Link(stream, peer, house, this);
    this.#socket = new AedesSocket(this);
  }

  start(): void {
    this.#house.attach(this.#socket);
    this.link.start();
  }

  get rights(): ClientRights | undefined {
    return this.admission?.admitted ? this.admission.rights : undefined;
  }
  get facts(): ClientFacts {
    return { client: this.session?.id ?? this.greeting?.clientId ?? '', user: this.greeting?.user, address: this.link.peer.address };
  }

  // What the link wants to know
  get busy(): boolean {
    return this.#awaiting || this.#socketFull || this.#held;
  }
  get packetBytes(): number {
    const { packetBytes } = this.#house.limits;
    return this.established ? packetBytes : Math.min(packetBytes, CONNECT_PACKET_BYTES);
  }

  frame(frame: Buffer): void {
    const type = packetType(frame);
    if (!this.established && type !== TYPE.connect) throw new Fault('sent another packet before CONNECT');
    switch (type) {
      case TYPE.publish:
        this.#publish(frame);
        return;
      case TYPE.puback:
      case TYPE.pubcomp:
        this.session?.acknowledged(parseAckId(frame));
        this.#letWaitersOn();
        return;
      case TYPE.pubrec:
        this.session?.received(parseAckId(frame));
        return;
      case TYPE.connect:
        // [MQTT-3.1.0-2]
        if (this.established) throw new Fault('sent a second CONNECT');
        this.#awaiting = true;
        this.#pass(frame);
        return;
      case TYPE.subscribe:
      case TYPE.unsubscribe:
        this.#awaiting = true;
        this.#pass(frame);
        return;
      case TYPE.disconnect:
        this.#goodbye = true;
        this.#pass(frame);
        return;
      case TYPE.pubrel:
      case TYPE.pingreq:
        this.#pass(frame);
        return;
      default:
        throw new Fault(`sent a packet of type ${type}, which clients do not send`);
    }
  }

  #pass(frame: Buffer): void {
    if (!this.#socket.push(Buffer.from(frame))) this.#socketFull = true;
  }

  #publish(frame: Buffer): void {
    const publish = parsePublish(frame);
    const { traffic, sessions } = this.#house;
    traffic.publishReceived += 1;
    traffic.publishBytesReceived += publish.payload.length;
    const fault = faultOf(publish.topic);
    if (fault) throw new Fault(`published to ${fault}`);
    if (!this.rights?.mayPublish(publish.topic)) {
      this.#refuse(publish);
      return;
    }
    if (publish.qos === 2) {
      this.#pass(frame);
      return;
    }
    const accepted = sessions.publish(new Message(publish.topic, publish.payload, publish.qos, publish.retain), this.session?.id);
    if (publish.qos === 1) this.#acknowledge(publish.id, accepted?.written);
    if (accepted?.relief !== undefined) this.#hold(accepted.relief);
  }

  /** Reads no further for now: who publishes in a burst goes on at the pace of a receiver that keeps acknowledging. */
  #hold(relief: Promise<void>): void {
    this.#held = true;
    void relief.then(() => {
      this.#held = false;
      this.link.continue();
    });
  }

  /** MQTT 3.1.1, 3.3.5: a message that is not allowed is acknowledged all the same, or the client would send it for ever. */
  #refuse({ topic, qos, id }: Publish): void {
    this.#house.traffic.publishDropped += 1;
    this.limited('rules', `may not publish to ${topic}; its message is dropped`);
    if (qos > 0) this.link.send(ackFrame(qos === 1 ? TYPE.puback : TYPE.pubrec, id));
  }

  /** Acknowledgements leave in the order of their messages: [MQTT-4.6.0-2]. */
  #acknowledge(id: number, written: Promise<void> | undefined): void {
    if (!written && !this.#acking) {
      this.link.send(ackFrame(TYPE.puback, id));
      return;
    }
    const acking = Promise.all([this.#acking, written]).then(() => {
      this.link.send(ackFrame(TYPE.puback, id));
      if (this.#acking === acking) this.#acking = undefined;
    });
    this.#acking = acking;
  }

  // What aedes does with its socket
  wanted(): void {
    if (!this.#socketFull) return;
    this.#socketFull = false;
    this.link.continue();
  }

  written(chunk: Buffer, done: () => void): void {
    this.#answers.push(chunk);
    for (let frame = this.#answers.next(Number.POSITIVE_INFINITY); frame; frame = this.#answers.next(Number.POSITIVE_INFINITY)) {
      this.#answer(Buffer.from(frame));
    }
    if (this.link.blocked) this.#waiters.push(done);
    else done();
  }

  #answer(frame: Buffer): void {
    this.link.send(frame);
    const type = packetType(frame);
    if (type === TYPE.connack && frame[3] === 0) {
      this.established = true;
      this.session?.attach(this);
    }
    if (type !== TYPE.connack && type !== TYPE.suback && type !== TYPE.unsuback) return;
    this.#awaiting = false;
    this.link.continue();
  }

  destroyed(error: Error | null): void {
    this.link.close(this.why ?? error?.message ?? (this.#goodbye ? 'said goodbye' : 'was disconnected'));
  }

  // What the session sends
  mayReceive(topic: string): boolean {
    return this.rights?.mayReceive(topic) ?? false;
  }
  offer(frame: Buffer, payloadBytes: number): void {
    if (this.link.offer(frame)) this.#countPublish(payloadBytes);
    else this.#house.traffic.publishDropped += 1;
  }
  send(frame: Buffer, payloadBytes?: number): void {
    this.link.send(frame);
    if (payloadBytes !== undefined) this.#countPublish(payloadBytes);
  }
  #countPublish(payloadBytes: number): void {
    this.#house.traffic.publishSent += 1;
    this.#house.traffic.publishBytesSent += payloadBytes;
  }

  /** A retained message that a new subscription asked for; `done` when the client has room for more. */
  deliverRetained(message: Message, done: () => void): void {
    this.session?.deliverRetained(message);
    const full = this.link.blocked || (this.session?.queuedMessages ?? 0) > RETAINED_AHEAD_MESSAGES;
    if (full && !this.link.closed) this.#waiters.push(done);
    else setImmediate(done);
  }

  #letWaitersOn(): void {
    if (this.#waiters.length === 0 || this.link.blocked) return;
    if ((this.session?.queuedMessages ?? 0) > RETAINED_AHEAD_MESSAGES && !this.link.closed) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done();
  }
  drained(): void {
    this.#letWaitersOn();
  }

  limited(limit: keyof Limits | 'rules', reason: string): void {
    this.#house.limited(this.facts, limit, reason);
  }

  /** Too long silent? */
  overdue(nowMs: number): string | undefined {
    if (!this.established) {
      // from its CONNECT on the time is ours: its password is being checked
      if (this.greeting) return undefined;
      const { connectTimeoutS } = this.#house.limits;
      return nowMs - this.#startedMs > connectTimeoutS * 1000 ? `sent no CONNECT within ${connectTimeoutS} s` : undefined;
    }
    const keepaliveS = this.greeting?.keepaliveS ?? 0;
    const silentMs = nowMs - this.link.heardAtMs;
    if (keepaliveS === 0 || silentMs <= keepaliveS * 1000 * KEEPALIVE_GRACE) return undefined;
    return `was silent for more than its keep alive of ${keepaliveS} s`;
  }

  overfull(reason: string): void {
    if (this.link.closed) return;
    this.limited('packetBytes', reason);
    this.close(reason);
  }

  close(reason: string): void {
    this.why ??= reason;
    this.link.close(reason);
  }

  closed(reason: string): void {
    if (this.session) this.#house.sessions.leave(this.session, this);
    const ended = this.#goodbye && !this.why ? 'said goodbye' : reason;
    if (this.#goodbye) this.#endSocketGently();
    else this.#socket.destroy();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done();
    this.#house.closed(this, ended);
  }

  /** aedes must read the DISCONNECT before the end, or it would publish the will. */
  #endSocketGently(): void {
    if (this.#socket.destroyed) return;
    this.#socket.push(null);
    const cancel = this.#house.clock.after(GOODBYE_MS, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
  }

  snapshot(): BrokerClient {
    const { link, session } = this;
    const { client, user, address } = this.facts;
    return {
      client,
      ...(user === undefined ? {} : { user }),
      address,
      transport: link.peer.transport,
      connected: !link.closed,
      since: new Date(this.sinceMs).toISOString(),
      subscriptions: session?.subscriptions.size ?? 0,
      queuedMessages: link.queuedMessages + (session?.queuedMessages ?? 0),
      queuedBytes: link.queuedBytes + (session?.queuedBytes ?? 0),
      received: link.received,
      sent: link.sent,
      dropped: link.dropped,
    };
  }
}
