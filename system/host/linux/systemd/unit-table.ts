import { ID_PATTERN } from '@ledge/contract';
import { BusError } from './dbus-connection.ts';
import type { SystemBus } from './system-bus.ts';
import { exitWords, type UnitProperties, WANTED } from './unit-state.ts';

export const SYSTEMD = 'org.freedesktop.systemd1';
export const MANAGER = { destination: SYSTEMD, path: '/org/freedesktop/systemd1', interface: `${SYSTEMD}.Manager` } as const;
const UNIT_NAME = /^ledge-(.+)\.service$/;

/** The service that a unit is: `media` for `ledge-media.service`, undefined for any other. */
export function serviceOf(unit: unknown): string | undefined {
  const name = typeof unit === 'string' ? UNIT_NAME.exec(unit)?.[1] : undefined;
  return name !== undefined && ID_PATTERN.test(name) ? name : undefined;
}
export const unitOf = (service: string) => `ledge-${service}.service`;

/** One service's unit as last heard. */
export class Unit {
  readonly name: string;
  readonly path: string;
  #properties: UnitProperties = {};
  #lastExit: string | undefined;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }

  get properties(): UnitProperties {
    return this.#properties;
  }

  /** Kept over the next start, which systemd itself begins with a clean sheet. */
  get lastExit(): string | undefined {
    return this.#lastExit;
  }

  update(changed: UnitProperties): void {
    this.#properties = { ...this.#properties, ...changed };
    this.#lastExit = exitWords(this.#properties) ?? this.#lastExit;
  }
}

/**
 * The units `ledge-*.service` that are services; those of the start of the system (`Type=oneshot`) are none. Read once, then kept
 * up to date by signals, and read again only after systemd or the bus was away, or units came or went.
 */
export class UnitTable {
  readonly #bus: SystemBus;
  readonly #units = new Map<string, Unit>();
  readonly #unwatch = new Map<string, () => void>();
  #loading: Promise<void> | undefined;
  #heard: Promise<unknown> | undefined;

  constructor(bus: SystemBus) {
    this.#bus = bus;
  }

  /** Names that were known last, without asking anybody. */
  get known(): readonly string[] {
    return [...this.#units.keys()];
  }

  /** @throws BusError, Problem `service-away` */
  async read(): Promise<ReadonlyMap<string, Unit>> {
    const loading = this.#loading ?? this.#load();
    this.#loading = loading;
    try {
      await loading;
    } catch (error) {
      if (this.#loading === loading) this.#loading = undefined;
      throw error;
    }
    return this.#units;
  }

  async #load(): Promise<void> {
    await this.#hearOfUnits();
    await this.#subscribe();
    const [list] = await this.#bus.call({ ...MANAGER, member: 'ListUnitsByPatterns', signature: 'asas', body: [[], [unitOf('*')]] });
    const present = new Set<string>();
    for (const row of list as unknown[][]) {
      const [id, , loaded, , , , path] = row;
      const name = serviceOf(id);
      if (name === undefined || loaded !== 'loaded' || typeof path !== 'string') continue;
      if (await this.#take(name, path)) present.add(name);
    }
    for (const name of this.#units.keys()) if (!present.has(name)) this.#drop(name);
  }

  /** Reads a unit. The watch comes first, so that no change is missed; signals and answers of systemd keep their order. */
  async #take(name: string, path: string): Promise<boolean> {
    const known = this.#units.get(name);
    const unit = known?.path === path ? known : new Unit(name, path);
    if (unit !== known) {
      this.#drop(name);
      const hear = (owner: string, changed: UnitProperties) => this.#changed(unit, owner, changed);
      this.#unwatch.set(name, await this.#bus.watchProperties(SYSTEMD, path, hear));
    }
    const asked = Object.entries(WANTED).flatMap(([kind, names]) =>
      names.map(async (property) => [property, await this.#bus.property(SYSTEMD, path, `${SYSTEMD}.${kind}`, property)]),
    );
    unit.update(Object.fromEntries(await Promise.all(asked)));
    if (unit.properties.Type === 'oneshot') {
      this.#drop(name);
      return false;
    }
    this.#units.set(name, unit);
    return true;
  }

  #changed(unit: Unit, owner: string, changed: UnitProperties): void {
    const kind = owner.slice(SYSTEMD.length + 1);
    const names: readonly string[] = kind === 'Unit' || kind === 'Service' ? WANTED[kind] : [];
    const wanted = Object.fromEntries(Object.entries(changed).filter(([name]) => names.includes(name)));
    const pid = unit.properties.MainPID;
    unit.update(wanted);
    // told in no signal, and empty before the first start
    if (unit.properties.MainPID !== pid) {
      this.#bus.property(SYSTEMD, unit.path, `${SYSTEMD}.Service`, 'ControlGroup').then(
        (group) => unit.update({ ControlGroup: group }),
        () => {},
      );
    }
  }

  #drop(name: string): void {
    this.#units.delete(name);
    this.#unwatch.get(name)?.();
    this.#unwatch.delete(name);
  }

  /** Once: whatever makes the list old. */
  async #hearOfUnits(): Promise<void> {
    const forget = () => {
      this.#loading = undefined;
    };
    this.#heard ??= (async () => {
      const rule = { sender: SYSTEMD, path: MANAGER.path, interface: MANAGER.interface };
      for (const member of ['UnitNew', 'UnitRemoved']) {
        await this.#bus.watch({ ...rule, member }, ([unit]) => {
          if (serviceOf(unit) !== undefined) forget();
        });
      }
      await this.#bus.watch({ ...rule, member: 'Reloading' }, ([active]) => {
        if (active === false) forget();
      });
      this.#bus.onOwnerChange(SYSTEMD, forget);
    })();
    try {
      await this.#heard;
    } catch (error) {
      this.#heard = undefined;
      throw error;
    }
  }

  /** Without it systemd sends no signals; it forgets with the connection, or when it starts anew itself. */
  async #subscribe(): Promise<void> {
    try {
      await this.#bus.call({ ...MANAGER, member: 'Subscribe' });
    } catch (error) {
      if (!(error instanceof BusError && error.busName === `${SYSTEMD}.AlreadySubscribed`)) throw error;
    }
  }
}
