import { Duplex, Readable } from 'node:stream';
import type { Qos } from './frames.ts';
import { Message } from './message.ts';
import type { Sessions } from './sessions.ts';

/** A packet as aedes holds it. */
export interface AedesPacket {
  topic: string;
  payload: Buffer | string;
  qos?: Qos;
  retain?: boolean;
  messageId?: number;
  /** Who published it. */
  clientId?: string;
}

const asBuffer = (payload: Buffer | string) => (typeof payload === 'string' ? Buffer.from(payload) : payload);
export const toMessage = (packet: AedesPacket) =>
  new Message(packet.topic, asBuffer(packet.payload), packet.qos ?? 0, packet.retain ?? false, true);

/** What stands behind an {@link AedesSocket}. */
export interface SocketOwner {
  written(chunk: Buffer, done: () => void): void;
  wanted(): void;
  destroyed(error: Error | null): void;
}

/** The socket that aedes believes to have. It gets only the packets that are for it, and what it writes joins our own queue. */
export class AedesSocket extends Duplex {
  readonly owner: SocketOwner;

  constructor(owner: SocketOwner) {
    super({ allowHalfOpen: false });
    this.owner = owner;
  }
  override _read(): void {
    this.owner.wanted();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.owner.written(chunk, done);
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.owner.destroyed(error);
    done(null);
  }
}

type Done = () => void;

/**
 * In the place of mqemitter. Delivery is by {@link Sessions}, which knows who subscribed to what; so listeners need not be kept, each client
 * gets a message once however many of its filters match, and nothing recurses.
 */
export class SessionEmitter {
  readonly #deliver: (packet: AedesPacket) => void;

  constructor(deliver: (packet: AedesPacket) => void) {
    this.#deliver = deliver;
  }
  on(_topic: string, _listener: unknown, done?: Done): this {
    if (done) setImmediate(done);
    return this;
  }
  removeListener(_topic: string, _listener: unknown, done?: Done): this {
    if (done) setImmediate(done);
    return this;
  }
  emit(packet: AedesPacket, done: Done): this {
    this.#deliver(packet);
    setImmediate(done);
    return this;
  }
  close(done: Done): this {
    setImmediate(done);
    return this;
  }
}

interface ById {
  id: string;
}

/** In the place of an aedes-persistence: what aedes still asks for, answered by {@link Sessions}; outgoing messages never reach it. */
export class SessionPersistence {
  readonly #sessions: Sessions;
  #brokerId = '';

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  async setup(broker: ById): Promise<void> {
    this.#brokerId = broker.id;
  }
  async storeRetained(): Promise<void> {}
  createRetainedStreamCombi(filters: string[]): Readable {
    const sessions = this.#sessions;
    function* all() {
      for (const filter of filters)
        for (const { topic, payload, qos } of sessions.retained(filter)) yield { cmd: 'publish', topic, payload, qos };
    }
    return Readable.from(all());
  }
  async addSubscriptions(): Promise<void> {}
  async removeSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByClient({ id }: ById): Promise<{ topic: string; qos: Qos }[]> {
    const session = this.#sessions.get(id);
    if (!session || session.clean) return [];
    return [...session.subscriptions].map(([topic, qos]) => ({ topic, qos }));
  }
  async subscriptionsByTopic(): Promise<never[]> {
    return [];
  }
  async outgoingEnqueueCombi(): Promise<void> {}
  outgoingStream(): Readable {
    return Readable.from([]);
  }
  async outgoingClearMessageId(): Promise<undefined> {}

  async incomingStorePacket({ id }: ById, packet: AedesPacket): Promise<void> {
    const session = this.#sessions.get(id);
    if (session) this.#sessions.incoming(session, packet.messageId ?? 0);
  }
  async incomingGetPacket({ id }: ById, packet: AedesPacket): Promise<AedesPacket> {
    if (!this.#sessions.get(id)?.incoming.has(packet.messageId ?? 0)) throw new Error('no such packet');
    return packet;
  }
  async incomingDelPacket({ id }: ById, packet: AedesPacket): Promise<void> {
    const session = this.#sessions.get(id);
    if (session) this.#sessions.incomingDone(session, packet.messageId ?? 0);
  }
  async cleanIncoming(): Promise<void> {}

  async putWill({ id }: ById, will: AedesPacket): Promise<void> {
    const { topic, payload, qos = 0, retain = false } = will;
    this.#sessions.putWill({ clientId: id, brokerId: this.#brokerId, topic, payload: asBuffer(payload), qos, retain });
  }
  async delWill({ id }: ById): Promise<void> {
    this.#sessions.takeWill(id);
  }
  /** Wills that an earlier run of this broker left, and whose clients have not come back. */
  streamWill(): Readable {
    const left = [...this.#sessions.wills()].filter((will) => will.brokerId !== this.#brokerId);
    return Readable.from(left.map((will) => ({ cmd: 'publish', ...will })));
  }
}
