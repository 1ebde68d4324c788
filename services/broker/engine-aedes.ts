import type { Duplex } from 'node:stream';
import { type BrokerClient, filterFault, MAX_TOPIC_LEVELS, topicFault } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import { Aedes, type AuthenticateError, type Client, type Subscription } from 'aedes';
import { type AedesPacket, AedesSocket, SessionEmitter, SessionPersistence, toMessage } from './aedes-parts.ts';
import { Buffers } from './buffers.ts';
import { Connection, type ConnectionHouse, type Greeting } from './connection.ts';
import { type Levels, Traffic } from './counters.ts';
import {
  type Admission,
  type ClientFacts,
  type Engine,
  type EngineHost,
  type EngineSettings,
  REFUSAL,
  type RefusalCode,
  USER_CHANGED,
  type UserChange,
} from './engine.ts';
import type { Peer } from './link.ts';
import { type Certificate, Listeners, type Ports } from './listeners.ts';
import { Message } from './message.ts';
import { Sessions } from './sessions.ts';
import { Store } from './store.ts';
import { Turns } from './turns.ts';

const TICK_MS = 1000;
const EXPIRE_MS = 60_000;
/** Wills of clients that a crash of the broker left behind are published after four of these, if they have not come back. */
const HEARTBEAT_MS = 15_000;
/** Above the longest that the settings allow: the time until CONNECT is watched by us. */
const AEDES_CONNECT_TIMEOUT_MS = 300_000;
const CLIENT_ID_CHARACTERS_MOST = 256;

/** aedes' packet of the CONNECT, as far as it is used. */
interface ConnectPacket {
  protocolVersion?: number;
  clientId: string;
  clean?: boolean;
  keepalive?: number;
  username?: string;
  will?: { topic: string };
}
/** Of a client of aedes, and not in its types. */
interface Delivering {
  will: unknown;
  deliverQoS(packet: AedesPacket, done: () => void): void;
}

const connectionOf = (client: Client | null): Connection | undefined => {
  const socket: unknown = client?.conn;
  return socket instanceof AedesSocket && socket.owner instanceof Connection ? socket.owner : undefined;
};

/** MQTT 3.1.1 by aedes, on our own links, sessions and store: see README.md for who does what. */
export class AedesEngine implements Engine, ConnectionHouse {
  readonly version: string;
  readonly saysSys = false;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly traffic = new Traffic();
  readonly buffers = new Buffers();
  waitingBytes = 0;
  readonly sessions: Sessions;
  readonly #settings: () => EngineSettings;
  readonly #host: EngineHost;
  readonly #log: Logger;
  readonly #broker: Aedes;
  readonly #listeners: Listeners;
  readonly #connections = new Set<Connection>();
  readonly #byClient = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #cancels: (() => void)[] = [];
  #clientsMaximum = 0;
  #heapMaximum = 0;

  constructor(
    file: string,
    settings: () => EngineSettings,
    certificate: () => Promise<Certificate>,
    host: EngineHost,
    ports: { clock: Clock; log: Logger },
  ) {
    this.#settings = settings;
    this.#host = host;
    this.clock = ports.clock;
    this.#log = ports.log;
    this.turns = new Turns(ports.clock);
    const store = new Store(file, settings, ports.clock, ports.log);
    this.sessions = new Sessions(store, this, settings, ports.clock, (client, limit, reason) =>
      this.limited(this.#byClient.get(client)?.facts ?? { client, user: undefined, address: '' }, limit, reason),
    );
    this.#broker = this.#makeBroker();
    this.version = `Ledge broker, aedes ${(this.#broker as unknown as { version: string }).version}`;
    this.#listeners = new Listeners(
      settings(),
      certificate,
      (stream, peer) => this.#accept(stream, peer),
      (address, reason) => this.#refuse({ client: '', user: undefined, address }, reason),
    );
  }

  #makeBroker(): Aedes {
    const broker = new Aedes({
      mq: new SessionEmitter((packet) => this.#deliver(packet)),
      persistence: new SessionPersistence(this.sessions),
      heartbeatInterval: HEARTBEAT_MS,
      connectTimeout: AEDES_CONNECT_TIMEOUT_MS,
      maxTopicLevels: MAX_TOPIC_LEVELS,
      preConnect: (client, packet, done) => {
        const connection = connectionOf(client);
        if (connection) connection.greeting = greet(packet);
        if (connection && packet.protocolVersion === 5) connection.why = 'speaks MQTT 5; this engine speaks 3.1 and 3.1.1';
        // the keep alive is ours to watch: aedes does not see every packet
        packet.keepalive = 0;
        done(null, connection !== undefined);
      },
      authenticate: (client, _user, password, done) => {
        const connection = connectionOf(client);
        if (connection) void this.#authenticate(connection, client, password).then((refused) => done(refused, !refused));
      },
      authorizePublish: (client, packet, done) => done(this.#faultOfWill(client, packet.topic)),
      authorizeSubscribe: (client, subscription, done) => {
        const fault = filterFault(subscription.topic);
        if (fault) done(new Error(`subscribed to ${fault}`));
        else done(null, this.#subscribe(client, subscription) ? subscription : null);
      },
    });
    broker.on('client', (client) => this.#joined(client));
    broker.on('unsubscribe', (filters, client) => this.#unsubscribe(filters, client));
    (broker as NodeJS.EventEmitter).on('error', this.#report);
    return broker;
  }

  get limits(): EngineSettings {
    return this.#settings();
  }

  #report = (error: unknown): void => this.#log.error({ err: error }, 'the MQTT engine failed at something');

  async start(): Promise<void> {
    this.sessions.load();
    await this.#broker.listen();
    try {
      await this.#listeners.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#cancels.push(this.clock.every(TICK_MS, () => this.#tick()));
    this.#cancels.push(this.clock.every(EXPIRE_MS, () => this.sessions.expire()));
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    const listening = this.#listeners.stop();
    for (const connection of [...this.#connections]) {
      // wills stay in the store: who has not come back a minute after the next start gets its will then
      connection.forgoWill?.();
      connection.close('the broker stops');
    }
    await listening;
    await new Promise<void>((resolve) => this.#broker.close(resolve));
    this.turns.stop();
    this.sessions.close();
  }

  get fault(): string | undefined {
    return this.#listeners.ports.tcp === undefined ? 'the TCP listener is closed' : undefined;
  }

  /** Settings are asked whenever they count. */
  async apply(): Promise<void> {}

  get ports(): Ports {
    return this.#listeners.ports;
  }

  #accept(stream: Duplex, peer: Peer): Connection | undefined {
    this.traffic.sockets += 1;
    const { connections, connectionsPerAddress } = this.limits;
    const fromThere = this.#perAddress.get(peer.address) ?? 0;
    const facts = { client: '', user: undefined, address: peer.address };
    let refusal: string | undefined;
    if (this.#connections.size >= connections) refusal = `${connections} connections are open, and no more are allowed`;
    else if (!isLoopback(peer.address) && fromThere >= connectionsPerAddress) {
      refusal = `${connectionsPerAddress} connections from this address are open, and no more are allowed`;
    }
    if (refusal) {
      stream.on('error', () => {});
      stream.destroy();
      this.#refuse(facts, refusal);
      return undefined;
    }
    this.#perAddress.set(peer.address, fromThere + 1);
    const connection = new Connection(stream, peer, this);
    this.#connections.add(connection);
    connection.start();
    return connection;
  }

  #refuse(facts: ClientFacts, reason: string): void {
    this.traffic.refused += 1;
    this.#host.refused(facts, reason);
  }

  attach(socket: AedesSocket): void {
    const client = this.#broker.handle(socket);
    const connection = connectionOf(client);
    if (connection) {
      connection.forgoWill = () => {
        (client as unknown as Delivering).will = null;
      };
    }
    const deliver = (packet: AedesPacket, done: () => void) => {
      const message = toMessage(packet);
      // aedes reads ahead: what changed meanwhile has gone out as a live message, and the old must not follow it
      if (this.sessions.isRetained(message)) connection?.deliverRetained(message, done);
      else done();
    };
    (client as unknown as Delivering).deliverQoS = deliver;
  }

  async #authenticate(connection: Connection, client: Client, password: Buffer | undefined): Promise<AuthenticateError | null> {
    const { code, reason } = await this.#admit(connection, client, password).catch((error: unknown) => {
      this.#report(error);
      return { code: REFUSAL.unavailable, reason: 'cannot be checked now' };
    });
    if (code === undefined) return null;
    connection.why = reason;
    return Object.assign(new Error(reason), { returnCode: code });
  }

  /** No code when the client may come in. */
  async #admit(connection: Connection, client: Client, password: Buffer | undefined): Promise<{ code?: RefusalCode; reason?: string }> {
    const { greeting } = connection;
    if (!greeting) return { code: REFUSAL.unavailable, reason: 'sent no CONNECT' };
    // [MQTT-3.1.3-8]
    if (greeting.clientId === '' && !greeting.clean) {
      return { code: REFUSAL.identifier, reason: 'has no client id and wants a lasting session' };
    }
    if (greeting.clientId.length > CLIENT_ID_CHARACTERS_MOST) {
      return { code: REFUSAL.identifier, reason: `has a client id of more than ${CLIENT_ID_CHARACTERS_MOST} characters` };
    }
    greeting.clientId = client.id;
    const { clientId, user, willTopic } = greeting;
    const address = connection.link.peer.address;
    const admission = await this.#host.authenticate({ clientId, user, password, address });
    if (!admission.admitted) return admission;
    connection.admission = admission;
    const willFault = willTopic === undefined ? undefined : this.#faultOf(admission, willTopic);
    if (willFault) return { code: REFUSAL.notAllowed, reason: `wants a will with ${willFault}` };
    const other = this.#byClient.get(clientId);
    if (other && other.greeting?.user !== user) {
      const whose = other.greeting?.user ?? 'nobody';
      return { code: REFUSAL.identifier, reason: `has the client id of a client of ${whose} that is connected` };
    }
    if (other) other.why = 'another client connected with the same client id';
    return {};
  }

  #faultOf(admission: Admission, topic: string): string | undefined {
    const fault = topicFault(topic);
    if (fault) return fault;
    return admission.admitted && admission.rights.mayPublish(topic) ? undefined : `a topic that it may not publish to: ${topic}`;
  }

  /** Packets of clients have been checked; wills whose rules have changed, or that a crash left, have not. */
  #faultOfWill(client: Client | null, topic: string): Error | null {
    const admission = connectionOf(client)?.admission;
    const fault = admission ? this.#faultOf(admission, topic) : topicFault(topic);
    return fault ? new Error(`wants to publish to ${fault}`) : null;
  }

  #joined(client: Client): void {
    const connection = connectionOf(client);
    if (!connection || connection.link.closed) return;
    connection.session = this.sessions.begin(client.id, client.clean);
    this.#byClient.set(client.id, connection);
    this.#clientsMaximum = Math.max(this.#clientsMaximum, this.#byClient.size);
    this.traffic.connections += 1;
    this.#host.joined(connection.snapshot());
  }

  #subscribe(client: Client, { topic: filter, qos }: Subscription): boolean {
    const connection = connectionOf(client);
    const restored = connection?.session ? undefined : this.sessions.get(client.id);
    const session = connection?.session ?? restored;
    if (!connection || !session) return false;
    if (!connection.rights?.maySubscribe(filter)) {
      connection.limited('rules', `may not subscribe to ${filter}`);
      if (restored) this.sessions.unsubscribe(restored, filter);
      return false;
    }
    if (restored) return true;
    if (!this.sessions.maySubscribe(session, filter)) {
      connection.limited('subscriptionsPerClient', `has ${session.subscriptions.size} subscriptions; ${filter} is refused`);
      return false;
    }
    this.sessions.subscribe(session, filter, qos);
    return true;
  }

  #unsubscribe(filters: string[], client: Client): void {
    const session = connectionOf(client)?.session;
    if (!session || client.closed) return;
    for (const filter of filters) this.sessions.unsubscribe(session, filter);
  }

  /** What comes through aedes: QoS 2, wills. Its own messages to other aedes in a cluster are for nobody. */
  #deliver(packet: AedesPacket): void {
    if (packet.topic.startsWith(`$SYS/${this.#broker.id}/`)) return;
    void this.sessions.publish(toMessage(packet), packet.clientId);
  }

  limited(facts: ClientFacts, limit: string, reason: string): void {
    this.traffic.limited += 1;
    this.#host.limited(facts, limit, reason);
  }

  closed(connection: Connection, reason: string): void {
    if (!this.#connections.delete(connection)) return;
    const { address } = connection.link.peer;
    const others = (this.#perAddress.get(address) ?? 1) - 1;
    if (others === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, others);
    const client = connection.session?.id;
    if (client === undefined) {
      this.#refuse(connection.facts, reason);
      return;
    }
    if (this.#byClient.get(client) === connection) this.#byClient.delete(client);
    this.#host.left(connection.snapshot(), reason);
  }

  #tick(): void {
    const nowMs = this.clock.monotonic();
    for (const connection of [...this.#connections]) {
      const reason = connection.overdue(nowMs);
      if (reason) connection.close(reason);
    }
  }

  clients(): BrokerClient[] {
    const connected = [...this.#byClient.values()].map((connection) => connection.snapshot());
    const away: BrokerClient[] = [];
    for (const session of this.sessions.all()) {
      if (this.#byClient.has(session.id)) continue;
      away.push({
        client: session.id,
        transport: 'tcp',
        connected: false,
        since: new Date(session.leftMs ?? this.clock.now()).toISOString(),
        subscriptions: session.subscriptions.size,
        queuedMessages: session.queuedMessages,
        queuedBytes: session.queuedBytes,
        received: 0,
        sent: 0,
        dropped: 0,
      });
    }
    return [...connected, ...away];
  }

  async kick(clientId: string, reason: string): Promise<boolean> {
    const connection = this.#byClient.get(clientId);
    connection?.close(reason);
    return connection !== undefined;
  }

  /** Rules and passwords are asked whenever they count; what is left is to disconnect. */
  async userChanged({ name, kind }: UserChange): Promise<number> {
    const reason = USER_CHANGED[kind];
    if (reason === undefined) return 0;
    const theirs = [...this.#connections].filter((connection) => connection.greeting?.user === name);
    for (const connection of theirs) connection.close(reason);
    return theirs.length;
  }

  levels(): Levels {
    const current = process.memoryUsage().heapUsed;
    this.#heapMaximum = Math.max(this.#heapMaximum, current);
    return {
      clientsConnected: this.#byClient.size,
      clientsDisconnected: this.sessions.away,
      clientsMaximum: this.#clientsMaximum,
      clientsExpired: this.sessions.expired,
      subscriptions: this.sessions.subscriptionCount,
      retained: this.sessions.retainedCount,
      storedMessages: this.sessions.stored.messages,
      storedBytes: this.sessions.stored.bytes,
      queuedBytes: this.waitingBytes,
      heap: { current, maximum: this.#heapMaximum },
    };
  }

  publish(topic: string, payload: Buffer, { retain = false } = {}): void {
    void this.sessions.publish(new Message(topic, payload, 0, retain, true));
  }

  async clearRetained(filter: string): Promise<number> {
    const topics = [...this.sessions.retained(filter)].map((message) => message.topic);
    for (const topic of topics) this.publish(topic, Buffer.alloc(0), { retain: true });
    return topics.length;
  }

  async listen(filter: string, receive: (message: Message) => void): Promise<() => void> {
    return this.sessions.listen(filter, { deliver: receive });
  }
}

function greet(packet: ConnectPacket): Greeting {
  return {
    protocolVersion: packet.protocolVersion ?? 0,
    clientId: packet.clientId,
    clean: packet.clean ?? true,
    keepaliveS: packet.keepalive ?? 0,
    user: packet.username,
    willTopic: packet.will?.topic,
  };
}

const isLoopback = (address: string) => address === '::1' || address.startsWith('127.');
