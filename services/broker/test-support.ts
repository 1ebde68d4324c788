import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessRule, BrokerClient } from '@ledge/contract';
import { systemClock } from '@ledge/kit';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { type BrokerSettings, brokerSettings } from './config.ts';
import type { ClientFacts, Credentials, Engine, EngineHost } from './engine.ts';
import { AedesEngine } from './engine-aedes.ts';
import { Rights } from './rights.ts';
import { readCertificate } from './tls.ts';

export const silent = pino({ level: 'silent' });
export const EVERYTHING: AccessRule[] = [
  { filter: '#', access: 'both' },
  { filter: '$SYS/#', access: 'subscribe' },
];

/** Records what an engine tells; lets everyone in with all rights unless `admit` says otherwise. */
export class RecordingHost implements EngineHost {
  readonly rights = new Rights(EVERYTHING);
  readonly seen: {
    refused: string[];
    limited: { client: string; limit: string; reason: string }[];
    left: { client: string; reason: string }[];
  } = {
    refused: [],
    limited: [],
    left: [],
  };
  admit: (credentials: Credentials) => Rights | undefined | Promise<Rights | undefined> = () => this.rights;
  #waiting: { ready(): boolean; resolve(): void }[] = [];

  async authenticate(credentials: Credentials) {
    const rights = await this.admit(credentials);
    return rights ? ({ admitted: true, rights } as const) : ({ admitted: false, code: 5, reason: 'not known here' } as const);
  }
  joined(): void {
    this.#look();
  }
  left(client: BrokerClient, reason: string): void {
    this.seen.left.push({ client: client.client, reason });
    this.#look();
  }
  refused(_client: unknown, reason: string): void {
    this.seen.refused.push(reason);
    this.#look();
  }
  limited({ client }: ClientFacts, limit: string, reason: string): void {
    this.seen.limited.push({ client, limit, reason });
    this.#look();
  }
  /** Resolves when what was seen fulfils the condition. */
  until(ready: (seen: RecordingHost['seen']) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ ready: () => ready(this.seen), resolve });
      this.#look();
    });
  }
  #look(): void {
    for (const waiting of this.#waiting) if (waiting.ready()) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => !waiting.ready());
  }
}

/** An engine for a test, and what a test decides about it. */
export interface Stand {
  engine: Engine;
  /** Replaces the rules of everybody. */
  setRules(rules: AccessRule[]): Promise<void>;
  /** From now on nobody else comes in. */
  admitOnly(user: string, password: string): Promise<void>;
  /** Lets another user in. */
  addUser(name: string, password: string): Promise<void>;
  /** Removes a user whose clients are connected. Returns how many those were. */
  remove(user: string): Promise<number>;
}
export type MakeStand = (dir: string, settings: () => BrokerSettings, host: RecordingHost) => Stand;

export const makeAedes = (dir: string, settings: () => BrokerSettings, host: EngineHost): Engine =>
  new AedesEngine(join(dir, 'sessions.db'), settings, () => readCertificate(settings(), dir, 'ledge-test', systemClock, silent), host, {
    clock: systemClock,
    log: silent,
  });

export const aedesStand: MakeStand = (dir, settings, host) => {
  const engine = makeAedes(dir, settings, host);
  return {
    engine,
    async setRules(rules) {
      host.rights.rules = rules;
    },
    async admitOnly(known) {
      host.admit = ({ user }) => (user === known ? host.rights : undefined);
    },
    async addUser() {}, // everybody comes in
    remove: (name) => engine.userChanged({ name, kind: 'removed' }),
  };
};

export interface TestBroker extends AsyncDisposable, Stand {
  host: RecordingHost;
  settings: BrokerSettings;
  port: number;
  connect(options?: IClientOptions): Promise<MqttClient>;
  raw(): Promise<Socket>;
}

export const testSettings = (changes: Partial<BrokerSettings> = {}): BrokerSettings => ({
  ...brokerSettings.parse({}),
  port: 0,
  ...changes,
});

/** An engine on a free port with a store of its own, and clients for it; everything is given back when it is disposed of. */
export async function testBroker(changes: Partial<BrokerSettings> = {}, dir?: string, make: MakeStand = aedesStand): Promise<TestBroker> {
  const home = dir ?? mkdtempSync(join(tmpdir(), 'ledge-broker-'));
  const host = new RecordingHost();
  const settings = testSettings(changes);
  const stand = make(home, () => settings, host);
  const { engine } = stand;
  await engine.start();
  const port = engine.ports.tcp ?? 0;
  const clients: MqttClient[] = [];
  const sockets: Socket[] = [];
  return {
    ...stand,
    host,
    settings,
    port,
    async connect(options = {}) {
      const client = await connectAsync({ host: '127.0.0.1', port, reconnectPeriod: 0, ...options });
      client.on('error', () => {});
      clients.push(client);
      return client;
    },
    async raw() {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end(true);
      for (const socket of sockets) socket.destroy();
      await engine.stop();
      if (!dir) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The next messages that a client receives, as `topic payload`. */
export function receive(client: MqttClient, count: number): Promise<string[]> {
  const got: string[] = [];
  return new Promise((resolve) => {
    const take = (topic: string, payload: Buffer) => {
      got.push(`${topic} ${payload}`);
      if (got.length < count) return;
      client.off('message', take);
      resolve(got);
    };
    client.on('message', take);
  });
}

/** Resolves when the client's connection has ended. */
export const ended = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', () => resolve()));

/** A directory for one test. */
export function scratch(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'ledge-broker-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The code with which a CONNECT is answered: [MQTT-3.2.2-4]; or undefined when the connection just ends. */
export function connackCode(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    socket.once('data', (data: Buffer) => resolve(data[3]));
    socket.once('close', () => resolve(undefined));
  });
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
