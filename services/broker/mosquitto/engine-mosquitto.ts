import { mkdir } from 'node:fs/promises';
import type { BrokerClient } from '@ledge/contract';
import type { Logger } from '@ledge/kit';
import { ownerOf, SERVICE_PREFIX } from '../accounts.ts';
import type { BrokerSettings } from '../config.ts';
import { type Levels, Traffic } from '../counters.ts';
import { type Engine, type EngineHost, USER_CHANGED, type UserChange } from '../engine.ts';
import { type Certificate, freePorts, type Ports } from '../listeners.ts';
import type { Message } from '../message.ts';
import { configurationOf, MosquittoFiles, WITHOUT_EQUIVALENT } from './configuration.ts';
import type { GuestBook } from './guests.ts';
import type { Told } from './log-lines.ts';
import { type Address, OwnConnection, OwnUser } from './own-connection.ts';
import { MosquittoProcess, type ProcessOwner, type ProcessPorts } from './process.ts';
import { findMosquitto } from './program.ts';
import { Roster, type RosterOwner } from './roster.ts';
import { commandsBetween, type Guests, securityDocument } from './security.ts';
import { SYS, SysValues } from './sys-values.ts';
import { takePlace } from './take-place.ts';

const SYS_INTERVAL_S = 10;
const CLEAR_ROUNDS_MOST = 10;

export interface MosquittoOptions {
  /** For files of ours and of mosquitto's. */
  dir: string;
  settings: () => BrokerSettings;
  certificate: () => Promise<Certificate>;
  guests: GuestBook;
  host: EngineHost;
  ports: ProcessPorts;
  sysIntervalS?: number;
}

/** A mosquitto process as the engine: README.md says what it does otherwise than aedes. */
export class MosquittoEngine implements Engine, ProcessOwner, RosterOwner {
  readonly saysSys = true;
  readonly traffic = new Traffic();
  readonly #options: MosquittoOptions;
  readonly #log: Logger;
  readonly #files: MosquittoFiles;
  readonly #engineUser = new OwnUser('ledge:engine');
  readonly #kickerUser = new OwnUser('ledge:kicker');
  readonly #own: OwnConnection;
  readonly #roster: Roster;
  readonly #values = new SysValues(this.traffic);
  #process: MosquittoProcess | undefined;
  #plugin = '';
  #ports: Record<keyof Ports, number> = { tcp: 0, tls: 0, webSocket: 0, secureWebSocket: 0 };
  /** What mosquitto goes by now. */
  #guests: Guests = { accounts: [], anonymous: [] };
  #configuration = '';
  #turn: Promise<unknown> = Promise.resolve();
  #stopWatching: (() => void) | undefined;

  constructor(options: MosquittoOptions) {
    const { dir, host, ports } = options;
    this.#options = options;
    this.#log = ports.log;
    this.#files = new MosquittoFiles(dir);
    this.#own = new OwnConnection(this.#engineUser, () => this.#address(), ports.clock);
    this.#roster = new Roster(host, this.traffic, this, ports.clock);
    void this.#own.listen(`${SYS}#`, (message) => this.#values.take(message));
  }

  get version(): string {
    return `Ledge broker, mosquitto ${this.#process?.version ?? ''}`;
  }
  get fault(): string | undefined {
    return this.#process ? this.#process.fault : 'mosquitto is not started';
  }
  get ports(): Ports {
    const { tcp, tls, webSocket, secureWebSocket } = this.#ports;
    const open = (port: number) => (this.fault === undefined && port > 0 ? port : undefined);
    return { tcp: open(tcp), tls: open(tls), webSocket: open(webSocket), secureWebSocket: open(secureWebSocket) };
  }

  async start(): Promise<void> {
    const { dir, ports, guests, certificate, settings } = this.#options;
    const program = findMosquitto();
    this.#plugin = program.plugin;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (settings().tlsPort > 0 || settings().secureWebSocketPort > 0) {
      const { cert, key } = await certificate();
      await this.#files.write(this.#files.certificate, cert);
      await this.#files.write(this.#files.key, key);
    }
    this.#process = new MosquittoProcess(program, this.#files, this, ports);
    await this.#process.endStranded();
    this.#ports = await freePorts(settings());
    await this.#process.start();
    this.#log.info({ settings: WITHOUT_EQUIVALENT }, 'mosquitto has nothing like these settings');
    this.#stopWatching = guests.watch(() => void this.#followGuests());
  }

  async stop(): Promise<void> {
    this.#stopWatching?.();
    await this.#process?.stop();
    await this.#turn;
    await this.#own.close();
  }

  async prepare(): Promise<void> {
    this.#guests = await this.#options.guests.read();
    this.#configuration = this.#makeConfiguration();
    await this.#files.write(this.#files.configuration, this.#configuration);
    await this.#writeGuests();
  }

  #makeConfiguration(): string {
    const { settings, sysIntervalS = SYS_INTERVAL_S } = this.#options;
    return configurationOf({ settings: settings(), ports: this.#ports, files: this.#files, plugin: this.#plugin, sysIntervalS });
  }

  #writeGuests(): Promise<void> {
    return this.#files.write(this.#files.security, securityDocument(this.#guests, this.#engineUser, this.#kickerUser));
  }

  async up(): Promise<void> {
    await this.#own.open();
    void this.#followGuests(); // who came while it started
  }

  down(): void {
    void this.#own.close();
    this.#roster.clear('the broker ended');
    this.#values.clear();
  }

  told(told: Told): void {
    this.#roster.told(told);
  }

  /** Brings mosquitto to what is wanted now. */
  #followGuests(passwords: ReadonlyMap<string, string> = new Map()): Promise<void> {
    return this.#inTurn(() => this.#follow(passwords));
  }

  /** One at a time. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(task);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #follow(passwords: ReadonlyMap<string, string>): Promise<void> {
    if (this.fault !== undefined && !this.#own.connected) return; // its next start reads them
    try {
      const read = await this.#options.guests.read();
      const accounts = read.accounts.map((account) => ({ ...account, ...inClear(passwords.get(account.name)) }));
      const commands = commandsBetween(this.#guests, { ...read, accounts });
      if (commands?.length === 0) return;
      if (!commands) throw new Error('a password is not known in clear');
      await this.#own.command(commands);
      this.#guests = read;
      // the plugin has written its own, with weaker hashes of new passwords
      await this.#writeGuests();
    } catch (error) {
      this.#log.warn({ err: error }, 'mosquitto is started anew to take over users and rules');
      await this.#process?.restart();
    }
  }

  async apply(): Promise<void> {
    await this.#followGuests();
    await this.#inTurn(async () => {
      if (this.fault !== undefined || this.#makeConfiguration() === this.#configuration) return;
      this.#log.info('mosquitto is started anew to take over settings');
      await this.#process?.restart();
    });
  }

  async userChanged({ name, ...change }: UserChange): Promise<number> {
    const theirs = change.kind === 'rules' ? [] : this.#roster.ofUser(name);
    for (const client of theirs) this.#roster.expect(client, USER_CHANGED[change.kind] ?? '');
    await this.#followGuests(change.kind === 'password' ? new Map([[name, change.password]]) : undefined);
    return theirs.length;
  }

  clients(): BrokerClient[] {
    return this.#roster.list();
  }

  async kick(clientId: string, reason: string): Promise<boolean> {
    const present = this.#roster.get(clientId);
    if (!present) return false;
    this.#roster.expect(clientId, reason);
    try {
      await takePlace(this.#address(), this.#kickerUser, clientId, present.clean, this.#options.ports.clock);
    } catch (error) {
      this.#roster.expect(clientId, undefined);
      throw error;
    }
    return true;
  }

  isOurs(user: string | undefined): boolean {
    return user === this.#engineUser.name || user === this.#kickerUser.name;
  }

  transportOf(listener: number | undefined): BrokerClient['transport'] {
    if (listener === undefined) return this.#ports.webSocket > 0 ? 'websocket' : 'wss'; // of these mosquitto does not tell the port
    return listener === this.#ports.tls ? 'tls' : 'tcp';
  }

  /** mosquitto lets anybody take any client id; those of the box's services are given back at once. */
  joined({ client, user, address = '' }: BrokerClient): void {
    const services = this.#guests.accounts.filter(({ name }) => name.startsWith(SERVICE_PREFIX)).map(({ name }) => name);
    const owner = ownerOf(client, user, services);
    if (owner === undefined) return;
    const reason = `has a client id that belongs to ${owner}`;
    this.traffic.limited += 1;
    this.#options.host.limited({ client, user, address }, 'clientId', reason);
    this.kick(client, reason).catch((error: unknown) => this.#log.warn({ err: error, client }, 'client not disconnected'));
  }

  levels(): Levels {
    return { ...this.#values.levels(), clientsConnected: this.#roster.connected };
  }

  publish(topic: string, payload: Buffer, { retain = false } = {}): void {
    this.#own.publish(topic, payload, retain);
  }

  listen(filter: string, receive: (message: Message) => void): Promise<() => void> {
    return this.#own.listen(filter, receive);
  }

  async clearRetained(filter: string): Promise<number> {
    const cleared = new Set<string>();
    for (let round = 0; round < CLEAR_ROUNDS_MOST; round++) {
      const topics = await this.#own.retained(filter);
      for (const topic of topics) this.publish(topic, Buffer.alloc(0), { retain: true });
      for (const topic of topics) cleared.add(topic);
      if (topics.length === 0) break;
    }
    return cleared.size;
  }

  #address(): Address {
    const { host } = this.#options.settings();
    return { host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port: this.#ports.tcp };
  }
}

const inClear = (text: string | undefined) => (text === undefined ? {} : { password: text.toWellFormed() });
