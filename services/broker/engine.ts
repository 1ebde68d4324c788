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

/** A user that people made was saved, or removed. */
export type UserChange = { name: string } & ({ kind: 'rules' } | { kind: 'password'; password: string } | { kind: 'removed' });
/** Why its clients are disconnected for it. */
export const USER_CHANGED: Partial<Record<UserChange['kind'], string>> = {
  password: 'its password was changed',
  removed: 'its user was removed',
};

/** What moves MQTT packets: embedded aedes, or a mosquitto process. */
export interface Engine {
  /** Engine and version, for `$SYS/broker/version`. */
  readonly version: string;
  /** The engine says its counters below `$SYS/broker/` itself. */
  readonly saysSys: boolean;
  /** Opens the store and the listeners. @throws Problem `port-taken` */
  start(): Promise<void>;
  /** Disconnects all clients, without their wills, and writes what is to be kept. */
  stop(): Promise<void>;
  /** What is wrong with it now, for people; undefined when nothing is. */
  readonly fault: string | undefined;
  /** Takes changed settings over. */
  apply(): Promise<void>;
  /** Ports in use; undefined for a listener that is off. */
  readonly ports: { tcp: number | undefined; tls: number | undefined; webSocket: number | undefined; secureWebSocket: number | undefined };
  /** Clients that are connected, and sessions whose clients are away. */
  clients(): BrokerClient[];
  /** Disconnects a client; false when there is none of that id. */
  kick(clientId: string, reason: string): Promise<boolean>;
  /** Resolves when the engine goes by the change, with how many clients were disconnected: those of a user with another password, or removed. */
  userChanged(change: UserChange): Promise<number>;
  readonly traffic: Readonly<Traffic>;
  levels(): Levels;
  /** Publishes in the broker's own name. */
  publish(topic: string, payload: Buffer, options?: { retain?: boolean }): void;
  /** Forgets the retained messages that match; whoever follows their topics is told. Returns how many there were. */
  clearRetained(filter: string): Promise<number>;
  /** Receives in the broker's own name, from when it resolves until the function that it gives is called. */
  listen(filter: string, receive: (message: Message) => void): Promise<() => void>;
}
