import { existsSync } from 'node:fs';
import {
  filters,
  ID_PATTERN,
  isOurService,
  OUR_SERVICES,
  Problem,
  parseTopic,
  type ServiceRecord,
  type ServiceView,
  serviceRecordSchema,
  shown,
  topics,
} from '@ledge/contract';
import type { ManagedService, ServiceManager } from '@ledge/host';
import { type Bus, type Clock, type Logger, type Message, parseAddress, type Target } from '@ledge/kit';
import { HealthProbe } from './health.ts';
import { serviceView } from './view.ts';

export const POLL_EVERY_MS = 2_000;
const MAX_SERVICES = 200;

/** Its socket lies beside those of the services and obeys whoever reaches it: no way may lead there from outside. */
const SUPERVISOR = 'supervisor';

export interface RegistryPorts {
  edge: string;
  bus: Bus;
  clock: Clock;
  log: Logger;
  manager: ServiceManager | undefined;
  /** Where a service of this name listens when it has not said so: the broker may be away. */
  defaultSocket(name: string): string;
  /** The service that this runs in: it needs no asking. */
  ownName: string;
  onLost(name: string): void;
}

interface Entry {
  name: string;
  record: ServiceRecord | undefined;
  probe: HealthProbe;
}

/**
 * What is known of every service: its own record on the bus, whether it answers now, and what its supervisor says.
 * The three are independent, so that a broker that is away, or a process that hangs, hides nothing.
 */
export class ServiceRegistry {
  readonly #ports: RegistryPorts;
  readonly #entries = new Map<string, Entry>();
  readonly #lost = new Set<string>();
  #managed = new Map<string, ManagedService>();
  #managerAway = false;
  #giveBack: (() => Promise<void> | void)[] = [];

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
  }

  async start(): Promise<void> {
    const { bus, clock, edge } = this.#ports;
    for (const name of OUR_SERVICES) this.#entry(name);
    this.#giveBack = [
      clock.every(POLL_EVERY_MS, () => void this.poll()),
      bus.onClose(() => void this.poll()),
      bus.onConnect(() => void this.poll()),
      await bus.subscribe(filters.services(edge), (message) => this.#hear(message)),
    ];
  }

  async stop(): Promise<void> {
    for (const giveBack of this.#giveBack) await giveBack();
    this.#giveBack = [];
  }

  /** Where a service listens, or undefined when there is none by that name. */
  find(name: string): Target | undefined {
    if (name === SUPERVISOR || this.#isGone(name)) return undefined;
    const record = this.#entries.get(name)?.record;
    if (record) return parseAddress(record.address);
    if (!ID_PATTERN.test(name)) return undefined;
    const socketPath = this.#ports.defaultSocket(name);
    // named pipes are no files; a name that is managed, or ours, is worth a try
    const present = socketPath.startsWith('\\\\') ? this.#entries.has(name) || this.#managed.has(name) : existsSync(socketPath);
    return present ? { socketPath, host: 'localhost' } : undefined;
  }

  /** Did it not answer when it was asked last? */
  isAway(name: string): boolean {
    return this.#entries.get(name)?.probe.wellness?.kind === 'away';
  }

  /** Is a service by this name known, although it may not listen now? */
  knows(name: string): boolean {
    if (this.#isGone(name)) return false;
    return this.#entries.has(name) || this.#managed.has(name) || this.find(name) !== undefined;
  }

  /** Changes when the service was started again. */
  instanceOf(name: string): string | undefined {
    return this.#entries.get(name)?.record?.instance;
  }

  names(): string[] {
    return [...new Set([...this.#entries.keys(), ...this.#managed.keys()])].filter((name) => !this.#isGone(name)).sort();
  }

  views(): ServiceView[] {
    return this.names()
      .filter((name) => !this.#isAbsent(name))
      .map((name) => this.#view(name));
  }

  /**
   * Takes a service off the list that is gone and will not come back.
   * @throws Problem `not-found`, `not-supported` when it belongs to the box or may live, `bus-away`
   */
  async forget(name: string): Promise<void> {
    const view = this.views().find((service) => service.name === name);
    if (!view) throw new Problem('not-found', `There is no service ${shown(name)}.`);
    if (isOurService(name) || this.#managed.has(name))
      throw new Problem('not-supported', `${name} belongs to this box; it can only be stopped.`);
    if (view.state !== 'lost') throw new Problem('not-supported', `${name} is ${view.state}; only one that is lost can be forgotten.`);
    await this.#ports.bus.publish(topics.service(this.#ports.edge, name), '', { qos: 1, retain: true });
    this.#entries.delete(name);
    this.#lost.delete(name);
  }

  #view(name: string): ServiceView {
    const { ownName, bus } = this.#ports;
    const own = name === ownName;
    const managed = this.#managed.get(name);
    return serviceView({
      name,
      record: this.#entries.get(name)?.record,
      wellness: own ? { kind: 'answers', state: 'ready', detail: undefined } : this.#entries.get(name)?.probe.wellness,
      managed: managed ?? (own ? ownProcess(name) : undefined),
      controllable: managed !== undefined && !this.#managerAway,
      busConnected: bus.connected || own,
    });
  }

  /** Asks every service and the supervisor now. */
  async poll(): Promise<void> {
    await this.#askManager();
    await Promise.all([...this.#entries.values()].map((entry) => this.#probe(entry)));
    this.#tellLost();
  }

  async #askManager(): Promise<void> {
    const { manager, log } = this.#ports;
    if (!manager) return;
    try {
      const list = await manager.list();
      this.#managed = new Map(list.map((service) => [service.name, service]));
      for (const { name } of list) this.#entry(name);
      this.#managerAway = false;
    } catch (error) {
      if (!this.#managerAway) log.warn({ err: error }, 'the supervisor does not answer');
      this.#managerAway = true;
    }
  }

  #hear({ topic, payload, retained }: Message): void {
    const parsed = parseTopic(topic);
    if (parsed.kind !== 'service') return;
    const { name } = parsed;
    // who came or went did so by his hand, perhaps: what the supervisor said last is of before
    void this.#askManager();
    if (payload.length === 0) {
      this.#entries.delete(name);
      this.#lost.delete(name);
      return;
    }
    const record = readRecord(payload);
    if (!record || record.name !== name || !parseAddress(record.address)) {
      this.#ports.log.warn({ topic, record: payload.subarray(0, 200).toString() }, 'a registry record that cannot be read was left out');
      return;
    }
    const entry = this.#entry(name);
    if (!entry || (!retained && isOfPredecessor(record, entry.record))) return;
    entry.record = record;
    entry.probe.forget();
    this.#tellLost();
    void this.#probe(entry).then(() => this.#tellLost());
  }

  async #probe({ name, probe }: Entry): Promise<void> {
    if (name !== this.#ports.ownName) await probe.poll(this.find(name));
  }

  #entry(name: string): Entry | undefined {
    const present = this.#entries.get(name);
    if (present || this.#entries.size >= MAX_SERVICES) return present;
    const entry: Entry = { name, record: undefined, probe: new HealthProbe(this.#ports.clock) };
    this.#entries.set(name, entry);
    return entry;
  }

  /** One of somebody's own that stopped in order, and that nobody would start again. */
  #isGone(name: string): boolean {
    return this.#entries.get(name)?.record?.state === 'disconnected' && !this.#managed.has(name) && !isOurService(name);
  }

  /** One of ours that never ran here: not started on this box, so it is not missing. */
  #isAbsent(name: string): boolean {
    const entry = this.#entries.get(name);
    const expected = name === 'broker' || name === this.#ports.ownName || this.#managed.has(name);
    return !expected && entry?.record === undefined && entry?.probe.everAnswered !== true;
  }

  #tellLost(): void {
    for (const { name, state } of this.views()) {
      if (state !== 'lost') this.#lost.delete(name);
      else if (!this.#lost.has(name)) {
        this.#lost.add(name);
        this.#ports.log.warn({ target: name }, 'service lost');
        this.#ports.onLost(name);
      }
    }
  }
}

/** The will of a process may come after the word of the one that took its place. */
const isOfPredecessor = (record: ServiceRecord, present: ServiceRecord | undefined) =>
  present?.state === 'ready' && record.state !== 'ready' && record.instance !== present.instance;

const ownProcess = (name: string): ManagedService => ({
  name,
  state: 'running',
  restarts: 0,
  pid: process.pid,
  memoryBytes: process.memoryUsage.rss(),
});

function readRecord(payload: Buffer): ServiceRecord | undefined {
  try {
    return serviceRecordSchema.safeParse(JSON.parse(payload.toString())).data;
  } catch {
    return undefined;
  }
}
