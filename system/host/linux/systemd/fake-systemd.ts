import type { BusCall, BusConnection, BusSignal } from './dbus-connection.ts';
import { BusError, BusVariant } from './dbus-connection.ts';
import { MANAGER, SYSTEMD } from './unit-table.ts';

const SIGNATURES: Record<string, string> = {
  ActiveState: 's',
  SubState: 's',
  Type: 's',
  MainPID: 'u',
  NRestarts: 'u',
  Result: 's',
  ExecMainCode: 'i',
  ExecMainStatus: 'i',
  MemoryMax: 't',
  ControlGroup: 's',
};
const OF_UNIT = ['ActiveState', 'SubState'];
/** As systemd does, these are told in no signal. */
const SILENT = ['ControlGroup', 'MemoryMax', 'Type'];
const LIST_SIGNATURE = 'a(ssssssouso)';
export const UNLIMITED = 2n ** 64n - 1n;

export interface FakeAnswer {
  signature: string;
  body: unknown[];
}
export interface FakeSignal {
  path: string;
  interface: string;
  member: string;
  signature: string;
  body: unknown[];
}

const pathOf = (id: string) =>
  `/org/freedesktop/systemd1/unit/${id.replace(/[^A-Za-z0-9]/g, (c) => `_${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;

/** What of systemd a service manager speaks with; `answer` and `onSignal` are put behind a fake connection, or on a real bus. */
export class FakeSystemd {
  readonly asked: string[] = [];
  readonly units = new Map<string, Record<string, unknown>>();
  onSignal: (signal: FakeSignal) => void = () => {};
  /** Answers start, stop and restart with this error, as polkit would. */
  refusal: BusError | undefined;
  subscribed = false;

  add(id: string, properties: Record<string, unknown> = {}): void {
    this.units.set(id, {
      ActiveState: 'active',
      SubState: 'running',
      Type: 'notify',
      MainPID: 100,
      NRestarts: 0,
      Result: 'success',
      ExecMainCode: 0,
      ExecMainStatus: 0,
      MemoryMax: UNLIMITED,
      ControlGroup: `/system.slice/${id}`,
      ...properties,
    });
    this.#say(MANAGER.path, MANAGER.interface, 'UnitNew', 'so', [id, pathOf(id)]);
  }

  remove(id: string): void {
    this.units.delete(id);
    this.#say(MANAGER.path, MANAGER.interface, 'UnitRemoved', 'so', [id, pathOf(id)]);
  }

  change(id: string, properties: Record<string, unknown>): void {
    const unit = this.units.get(id) ?? {};
    this.units.set(id, { ...unit, ...properties });
    for (const kind of ['Unit', 'Service'] as const) {
      const told = Object.entries(properties).filter(([name]) => OF_UNIT.includes(name) === (kind === 'Unit') && !SILENT.includes(name));
      if (told.length === 0) continue;
      const changed = Object.fromEntries(told.map(([name, value]) => [name, new BusVariant(SIGNATURES[name] ?? 's', value)]));
      this.#say(pathOf(id), 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', [`${SYSTEMD}.${kind}`, changed, []]);
    }
  }

  reload(): void {
    this.#say(MANAGER.path, MANAGER.interface, 'Reloading', 'b', [false]);
  }

  answer({ path, member, body = [] }: Pick<BusCall, 'path' | 'member' | 'body'>): FakeAnswer {
    this.asked.push(member === 'Get' ? `Get ${String(body[1])}` : [member, ...body.filter((part) => typeof part === 'string')].join(' '));
    switch (member) {
      case 'Subscribe':
        if (this.subscribed) throw new BusError(`${SYSTEMD}.AlreadySubscribed`, 'Client is already subscribed.');
        this.subscribed = true;
        return { signature: '', body: [] };
      case 'ListUnitsByPatterns':
        return { signature: LIST_SIGNATURE, body: [[...this.units].map(([id, unit]) => this.#row(id, unit))] };
      case 'Get': {
        const unit = [...this.units].find(([id]) => pathOf(id) === path)?.[1];
        const name = String(body[1]);
        if (!unit) throw new BusError('org.freedesktop.DBus.Error.UnknownObject', `Unknown object '${path}'.`);
        return { signature: 'v', body: [new BusVariant(SIGNATURES[name] ?? 's', unit[name])] };
      }
      case 'StartUnit':
      case 'StopUnit':
      case 'RestartUnit':
      case 'ResetFailedUnit':
        if (this.refusal) throw this.refusal;
        if (member === 'ResetFailedUnit') return { signature: '', body: [] };
        return { signature: 'o', body: ['/org/freedesktop/systemd1/job/1'] };
      default:
        throw new BusError('org.freedesktop.DBus.Error.UnknownMethod', `Unknown method ${member}`);
    }
  }

  #row(id: string, { ActiveState, SubState, LoadState = 'loaded' }: Record<string, unknown>): unknown[] {
    return [id, 'Ledge', LoadState, ActiveState, SubState, '', pathOf(id), 0, '', '/'];
  }

  #say(path: string, owner: string, member: string, signature: string, body: unknown[]): void {
    if (this.subscribed) this.onSignal({ path, interface: owner, member, signature, body });
  }
}

const OWNER = ':1.1';

/** A bus in memory with nobody but this systemd on it. */
export class FakeBus {
  readonly systemd: FakeSystemd;
  /** Rules that the bus knows, of the connection that is open now. */
  readonly rules: string[] = [];
  opened = 0;
  /** Makes connecting fail, as before the bus has started. */
  away = false;
  #listeners: ((signal: BusSignal) => void)[] = [];
  #close: ((why: string) => void) | undefined;

  constructor(systemd: FakeSystemd) {
    this.systemd = systemd;
    systemd.onSignal = (signal) => this.say({ ...signal, sender: OWNER, body: signal.body.map(plain) });
  }

  readonly open = async (): Promise<BusConnection> => {
    if (this.away) throw new Error('connect ENOENT');
    this.opened++;
    const closed = Promise.withResolvers<string>();
    const broken = closed.promise.then((why) => {
      throw new Error(why);
    });
    broken.catch(() => {});
    this.#close = closed.resolve;
    return {
      call: (call) => Promise.race([Promise.resolve().then(() => this.#answer(call)), broken]),
      onSignal: (listener) => void this.#listeners.push(listener),
      closed: closed.promise,
      close: () => this.cut('closed here'),
    };
  };

  /** A signal from anybody. */
  say(signal: BusSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  /** Ends the connection, as a bus that stops does. */
  cut(why = 'the bus closed the connection'): void {
    this.#listeners = [];
    this.rules.length = 0;
    this.systemd.subscribed = false;
    this.#close?.(why);
  }

  #answer(call: BusCall): unknown[] {
    if (call.destination === SYSTEMD) return this.systemd.answer(call).body.map(plain);
    if (call.member === 'GetNameOwner') return [OWNER];
    if (call.member === 'AddMatch') this.rules.push(String(call.body?.[0]));
    else this.rules.splice(this.rules.indexOf(String(call.body?.[0])), 1);
    return [];
  }
}

/** As a connection gives values: without their types. */
function plain(value: unknown): unknown {
  if (value instanceof BusVariant) return plain(value.value);
  if (value === UNLIMITED) return Number.POSITIVE_INFINITY;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
