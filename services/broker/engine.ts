import type { BrokerClient } from '@ledge/contract';
import type { Levels, Traffic } from './counters.ts';
import type { Limits } from './limits.ts';
import type { ListenSettings } from './listeners.ts';
import type { Message } from './message.ts';
import type { SessionLimits } from './sessions.ts';
import type { StoreSettings } from './store.ts';

/** Who asks to be let in. */
export interface Credentials {
  clientId: string;
  user: string | undefined;
  password: Buffer | undefined;
  address: string;
}

/** What an account may do; asked for every topic, so that changed rules count at once. */
export interface ClientRights {
  mayPublish(topic: string): boolean;
  mayReceive(topic: string): boolean;
  maySubscribe(filter: string): boolean;
}

/** MQTT 3.1.1, 3.2.2.3. */
export const REFUSAL = { protocol: 1, identifier: 2, unavailable: 3, password: 4, notAllowed: 5 } as const;
export type RefusalCode = (typeof REFUSAL)[keyof typeof REFUSAL];

export type Admission = { admitted: true; rights: ClientRights } | { admitted: false; code: RefusalCode; reason: string };

export interface ClientFacts {
  client: string;
  user: string | undefined;
  address: string;
}

/** What the engine asks and tells. */
export interface EngineHost {
  authenticate(credentials: Credentials): Promise<Admission>;
  joined(client: BrokerClient): void;
  left(client: BrokerClient, reason: string): void;
  refused(client: ClientFacts, reason: string): void;
  limited(client: ClientFacts, limit: string, reason: string): void;
}

export type EngineSettings = Limits & SessionLimits & StoreSettings & ListenSettings;

/** What moves MQTT packets. Embedded aedes is one; a mosquitto process can be another. */
export interface Engine {
  /** Engine and version, for `$SYS/broker/version`. */
  readonly version: string;
  /** Opens the store and the listeners. @throws Problem `port-taken` */
  start(): Promise<void>;
  /** Disconnects all clients, without their wills, and writes what is to be kept. */
  stop(): Promise<void>;
  /** Ports in use; undefined for a listener that is off. */
  readonly ports: { tcp: number | undefined; tls: number | undefined; webSocket: number | undefined; secureWebSocket: number | undefined };
  /** Clients that are connected, and sessions whose clients are away. */
  clients(): BrokerClient[];
  /** Disconnects a client; false when there is none of that id. */
  kick(clientId: string, reason: string): boolean;
  /** Disconnects all clients of a user and returns how many. */
  kickUser(user: string, reason: string): number;
  readonly traffic: Readonly<Traffic>;
  levels(): Levels;
  /** Publishes in the broker's own name. */
  publish(topic: string, payload: Buffer, options?: { retain?: boolean }): void;
  /** Forgets the retained messages that match; whoever follows their topics is told. Returns how many there were. */
  clearRetained(filter: string): number;
  /** Receives in the broker's own name. */
  listen(filter: string, receive: (message: Message) => void): () => void;
}
