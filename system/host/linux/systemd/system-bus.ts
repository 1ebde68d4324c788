import { Problem } from '@ledge/contract';
import { type Clock, systemClock } from '@ledge/kit';
import { type BusCall, type BusConnection, BusError, type BusSignal, openDbus } from './dbus-connection.ts';

const ANSWER_WITHIN_MS = 10_000;
const RECONNECT_FIRST_MS = 1_000;
const RECONNECT_MOST_MS = 30_000;
const BUS = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' } as const;
const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Signals of one member; without a path, of all objects of the sender. */
export interface SignalRule {
  /** A well-known name such as `org.freedesktop.NetworkManager`: a signal from anybody else is not taken for its. */
  sender: string;
  interface: string;
  member: string;
  path?: string;
}

interface Watch {
  rule: SignalRule;
  listener(body: readonly unknown[], signal: BusSignal): void;
}

export interface SystemBusPorts {
  open(): Promise<BusConnection>;
  clock: Clock;
}

/** The machine's bus, wherever `DBUS_SYSTEM_BUS_ADDRESS` says it is. */
export const machineBus = (environment: Readonly<Record<string, string | undefined>> = process.env): SystemBus =>
  new SystemBus({
    open: () => openDbus(environment.DBUS_SYSTEM_BUS_ADDRESS ?? 'unix:path=/run/dbus/system_bus_socket'),
    clock: systemClock,
  });

/**
 * D-Bus for the adapters of this folder. Connects with the first call; when the bus goes away it comes back by itself as long as
 * something is watched, and says every rule again.
 */
export class SystemBus {
  readonly #ports: SystemBusPorts;
  readonly #watches = new Set<Watch>();
  readonly #ownerListeners = new Map<string, Set<(present: boolean) => void>>();
  /** Who has a well-known name now, as a unique name. */
  readonly #owners = new Map<string, string>();
  #connecting: Promise<BusConnection> | undefined;
  #connection: BusConnection | undefined;
  #cancelRetry: (() => void) | undefined;
  #retryMs = RECONNECT_FIRST_MS;
  #ended = false;

  constructor(ports: SystemBusPorts) {
    this.#ports = ports;
  }

  /**
   * @returns the values of the answer
   * @throws BusError as the other side answered; Problem `service-away` when the bus or its answer is missing
   */
  async call(call: BusCall, withinMs = ANSWER_WITHIN_MS): Promise<unknown[]> {
    const connection = await this.#connected();
    return await this.#ask(connection, call, withinMs);
  }

  async property(destination: string, path: string, owner: string, name: string): Promise<unknown> {
    const [value] = await this.call({ destination, path, interface: PROPERTIES, member: 'Get', signature: 'ss', body: [owner, name] });
    return value;
  }

  async properties(destination: string, path: string, owner: string): Promise<Record<string, unknown>> {
    const [values] = await this.call({ destination, path, interface: PROPERTIES, member: 'GetAll', signature: 's', body: [owner] });
    return values as Record<string, unknown>;
  }

  /**
   * Hears signals from now on, on each connection. Resolves when the bus knows of it.
   * @returns ends it
   */
  async watch(rule: SignalRule, listener: Watch['listener']): Promise<() => void> {
    const connection = await this.#connected();
    const watch = { rule, listener };
    this.#watches.add(watch);
    try {
      await this.#say(connection, rule);
    } catch (error) {
      this.#watches.delete(watch);
      throw error;
    }
    return () => {
      if (!this.#watches.delete(watch) || !this.#connection) return;
      // of equal rules the bus forgets one for each time
      this.#ask(this.#connection, { ...BUS, member: 'RemoveMatch', signature: 's', body: [matchRule(rule)] }).catch(() => {});
    };
  }

  /** The same for `PropertiesChanged`: told the interface, and the new values that the signal carries. */
  async watchProperties(
    sender: string,
    path: string,
    listener: (owner: string, changed: Record<string, unknown>) => void,
  ): Promise<() => void> {
    return await this.watch({ sender, path, interface: PROPERTIES, member: 'PropertiesChanged' }, ([owner, changed]) =>
      listener(owner as string, changed as Record<string, unknown>),
    );
  }

  /** Told when the one who has this watched name comes, goes or is another, also with the bus itself: what was heard before is old then. */
  onOwnerChange(name: string, listener: (present: boolean) => void): () => void {
    const listeners = this.#ownerListeners.get(name) ?? new Set();
    this.#ownerListeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  close(): void {
    this.#ended = true;
    this.#cancelRetry?.();
    this.#connection?.close();
  }

  async #connected(): Promise<BusConnection> {
    if (this.#ended) throw new Problem('service-away', 'The connection to the system bus was ended.');
    this.#connecting ??= this.#connect();
    return await this.#connecting;
  }

  async #connect(): Promise<BusConnection> {
    try {
      const connection = await this.#ports.open();
      connection.onSignal((signal) => this.#hear(signal));
      void connection.closed.then(() => this.#lost(connection));
      this.#connection = connection;
      if (this.#ended) connection.close();
      for (const { rule } of this.#watches) await this.#say(connection, rule);
      this.#cancelRetry?.();
      this.#retryMs = RECONNECT_FIRST_MS;
      return connection;
    } catch (cause) {
      this.#connecting = undefined;
      this.#connection?.close();
      this.#retry();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Problem('service-away', `The system bus (D-Bus) cannot be reached: ${why}.`, { cause });
    }
  }

  #lost(connection: BusConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#connecting = undefined;
    this.#owners.clear();
    for (const name of this.#ownerListeners.keys()) this.#tellOwner(name, false);
    this.#retry();
  }

  #retry(): void {
    if (this.#ended || this.#watches.size === 0) return;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#ports.clock.after(this.#retryMs, () => void this.#connected().catch(() => {}));
    this.#retryMs = Math.min(2 * this.#retryMs, RECONNECT_MOST_MS);
  }

  async #say(connection: BusConnection, rule: SignalRule): Promise<void> {
    if (!this.#owners.has(rule.sender)) {
      const changes = `type='signal',sender='${BUS.destination}',member='NameOwnerChanged',arg0='${rule.sender}'`;
      await this.#ask(connection, { ...BUS, member: 'AddMatch', signature: 's', body: [changes] });
      const owner = await this.#ownerOf(connection, rule.sender);
      this.#owners.set(rule.sender, owner);
      if (owner !== '') this.#tellOwner(rule.sender, true);
    }
    await this.#ask(connection, { ...BUS, member: 'AddMatch', signature: 's', body: [matchRule(rule)] });
  }

  async #ownerOf(connection: BusConnection, name: string): Promise<string> {
    try {
      const [owner] = await this.#ask(connection, { ...BUS, member: 'GetNameOwner', signature: 's', body: [name] });
      return owner as string;
    } catch (error) {
      if (error instanceof BusError) return ''; // nobody has it yet
      throw error;
    }
  }

  async #ask(connection: BusConnection, call: BusCall, withinMs = ANSWER_WITHIN_MS): Promise<unknown[]> {
    const late = Promise.withResolvers<never>();
    const cancel = this.#ports.clock.after(withinMs, () =>
      late.reject(new Problem('service-away', `${call.destination} did not answer ${call.member} within ${withinMs} ms.`)),
    );
    try {
      return await Promise.race([connection.call(call), late.promise]);
    } catch (cause) {
      if (cause instanceof BusError || cause instanceof Problem) throw cause;
      throw new Problem('service-away', `The system bus (D-Bus) went away during ${call.member}.`, { cause });
    } finally {
      cancel();
    }
  }

  #hear(signal: BusSignal): void {
    if (signal.sender === BUS.destination && signal.member === 'NameOwnerChanged') {
      const [name, , owner] = signal.body as [string, string, string];
      if (!this.#owners.has(name)) return;
      this.#owners.set(name, owner);
      this.#tellOwner(name, owner !== '');
      return;
    }
    for (const { rule, listener } of this.#watches) {
      const fits = rule.member === signal.member && rule.interface === signal.interface && (rule.path ?? signal.path) === signal.path;
      if (fits && this.#owners.get(rule.sender) === signal.sender) listener(signal.body, signal);
    }
  }

  #tellOwner(name: string, present: boolean): void {
    for (const listener of this.#ownerListeners.get(name) ?? []) listener(present);
  }
}

const matchRule = ({ sender, interface: name, member, path }: SignalRule) =>
  `type='signal',sender='${sender}',interface='${name}',member='${member}'${path === undefined ? '' : `,path='${path}'`}`;
