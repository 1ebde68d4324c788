import type { BrokerClient } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { Traffic } from '../counters.ts';
import type { ClientFacts, EngineHost } from '../engine.ts';
import type { Told } from './log-lines.ts';

type Transport = BrokerClient['transport'];
interface Present {
  client: string;
  user: string | undefined;
  address: string;
  transport: Transport;
  clean: boolean;
  sinceMs: number;
}
interface Away extends Present {
  leftMs: number;
}
interface Stranger {
  address: string;
  transport: Transport;
  atMs: number;
}

const STRANGERS_MOST = 1000;
const STRANGER_MS = 120_000;

export interface RosterOwner {
  /** Connections of our own, which are nobody's clients. */
  isOurs(user: string | undefined): boolean;
  transportOf(listener: number | undefined): Transport;
  joined(client: BrokerClient): void;
}

/** Who is connected, from what mosquitto logs about it. */
export class Roster {
  readonly #host: EngineHost;
  readonly #traffic: Traffic;
  readonly #owner: RosterOwner;
  readonly #clock: Clock;
  readonly #present = new Map<string, Present>();
  /** Lasting sessions whose clients have left since we look. */
  readonly #away = new Map<string, Away>();
  /** Connections that have not said who they are. */
  readonly #strangers = new Map<string, Stranger>();
  /** Why we are about to disconnect a client. */
  readonly #why = new Map<string, string>();

  constructor(host: EngineHost, traffic: Traffic, owner: RosterOwner, clock: Clock) {
    this.#host = host;
    this.#traffic = traffic;
    this.#owner = owner;
    this.#clock = clock;
  }

  get(client: string): { clean: boolean; user: string | undefined } | undefined {
    const present = this.#present.get(client);
    return present && !this.#owner.isOurs(present.user) ? present : undefined;
  }
  ofUser(user: string): string[] {
    return [...this.#present.values()].filter((present) => present.user === user).map(({ client }) => client);
  }
  /** What is told as the reason when this client leaves next; undefined is what mosquitto says. */
  expect(client: string, reason: string | undefined): void {
    if (reason === undefined) this.#why.delete(client);
    else this.#why.set(client, reason);
  }

  get connected(): number {
    return this.#here().length;
  }
  #here(): Present[] {
    return [...this.#present.values()].filter(({ user }) => !this.#owner.isOurs(user));
  }

  list(): BrokerClient[] {
    return [
      ...this.#here().map((present) => snapshot(present, true, present.sinceMs)),
      ...[...this.#away.values()].map((away) => snapshot(away, false, away.leftMs)),
    ];
  }

  told(told: Told): void {
    if (told.kind === 'opened') this.#opened(told);
    if (told.kind === 'joined') this.#joined(told);
    if (told.kind === 'ended') this.#ended(told.client, told.reason);
    // never of a client that is connected: somebody else may give its id
    if (told.kind === 'unauthorised') this.#refused({ client: told.client, user: undefined, address: this.#guessAddress() }, told.reason);
    if (told.kind === 'turned-away') this.#refused({ client: '', user: undefined, address: told.address }, told.reason);
    if (told.kind === 'expired') this.#away.delete(told.client);
    if (told.kind === 'dropping') {
      this.#traffic.limited += 1;
      this.#host.limited(this.#factsOf(told.client), 'queuedMessages', 'reads too slowly; messages for it are dropped');
    }
  }

  /** mosquitto has ended. */
  clear(reason: string): void {
    for (const client of [...this.#present.keys()]) this.#left(client, reason);
    this.#strangers.clear();
    this.#why.clear();
  }

  #opened({ address, port, listener }: Extract<Told, { kind: 'opened' }>): void {
    this.#traffic.sockets += 1;
    const atMs = this.#clock.monotonic();
    this.#strangers.set(`${address} ${port}`, { address, transport: this.#owner.transportOf(listener), atMs });
    const [oldest] = this.#strangers;
    if (oldest && (this.#strangers.size > STRANGERS_MOST || atMs - oldest[1].atMs > STRANGER_MS)) this.#strangers.delete(oldest[0]);
  }

  #joined({ address, port, client, user, clean }: Extract<Told, { kind: 'joined' }>): void {
    const key = `${address} ${port}`;
    const transport = this.#strangers.get(key)?.transport ?? this.#owner.transportOf(undefined);
    this.#strangers.delete(key);
    const present = { client, user, address, transport, clean, sinceMs: this.#clock.now() };
    this.#present.set(client, present);
    if (this.#owner.isOurs(user)) return;
    this.#away.delete(client);
    this.#traffic.connections += 1;
    const told = snapshot(present, true, present.sinceMs);
    this.#host.joined(told);
    this.#owner.joined(told);
  }

  #ended(client: string, reason: string): void {
    if (this.#present.has(client)) this.#left(client, this.#why.get(client) ?? reason);
    else this.#refused({ client, user: undefined, address: this.#guessAddress() }, reason);
  }

  /** mosquitto does not say whose connection it refused; while all come from one address, that is it. */
  #guessAddress(): string {
    const addresses = new Set([...this.#strangers.values()].map(({ address }) => address));
    const [oldest] = this.#strangers.keys();
    if (oldest !== undefined) this.#strangers.delete(oldest);
    const [address] = addresses;
    return address !== undefined && addresses.size === 1 ? address : '';
  }

  #left(client: string, reason: string): void {
    const present = this.#present.get(client);
    this.#present.delete(client);
    this.#why.delete(client);
    if (!present || this.#owner.isOurs(present.user)) return;
    const leftMs = this.#clock.now();
    if (!present.clean) this.#away.set(client, { ...present, leftMs });
    this.#host.left(snapshot(present, false, leftMs), reason);
  }

  #refused(facts: ClientFacts, reason: string): void {
    this.#traffic.refused += 1;
    this.#host.refused(facts, reason);
  }

  #factsOf(client: string): ClientFacts {
    const { user, address = '' } = this.#present.get(client) ?? this.#away.get(client) ?? {};
    return { client, user, address };
  }
}

const snapshot = ({ client, user, address, transport }: Present, connected: boolean, sinceMs: number): BrokerClient => ({
  client,
  ...(user === undefined ? {} : { user }),
  address,
  transport,
  connected,
  since: new Date(sinceMs).toISOString(),
});
