import { join } from 'node:path';
import {
  type EventKind,
  type EventPayload,
  filters,
  Problem,
  type PropertyAddress,
  parseTopic,
  type ThingFileView,
  type ThingView,
  type TrialReading,
  type Value,
} from '@ledge/contract';
import type { Clock, Logger, OwnBus, Random } from '@ledge/kit';
import type { Driver, DriverEnvironment } from '@ledge/sdk';
import { Commands, type Outcome } from './commands.ts';
import type { DeviceSettings } from './config.ts';
import { cpuThermalZone, systemThingYaml } from './drivers/system.ts';
import { HomeAssistant } from './home-assistant.ts';
import { alertId, HomiePublisher } from './homie.ts';
import { Outbox } from './outbox.ts';
import { Readings } from './readings.ts';
import { Scheduler } from './scheduler.ts';
import { RunningThing, sameHardware, type ThingListener } from './thing.ts';
import { withEnabled } from './things/edit.ts';
import { InvalidThing, parseThing, type ThingConfig } from './things/load.ts';
import { ThingsDir } from './things/watch.ts';
import { tryOut } from './trial.ts';

/** The box itself: the root of the tree of things, and a thing of its own with the machine's sensors. */
export const ROOT_THING = 'system';
/** Alert of a thing whose driver cannot be opened. */
const DRIVER_ALERT = 'driver';
/** A beat so late means that the event loop stood still. */
const MAX_OVERDUE_MS = 5000;
/** Somebody looks on while a thing is tried out. */
const LONGEST_TRIAL_MS = 10_000;

export interface CorePorts {
  edge: { readonly id: string; readonly name: string };
  dataRoot: string;
  dataDir: string;
  settings: () => DeviceSettings;
  log: Logger;
  clock: Clock;
  random: Random;
  /** Carries everything that is said of things; its will is the root's `lost`. */
  bus: OwnBus;
  drivers: ReadonlyMap<string, Driver>;
  environment: DriverEnvironment;
  emit<K extends EventKind>(kind: K, payload: EventPayload<K>): void;
}

/** The things of this box: from their files to the bus, and from commands to their drivers. */
export class DeviceCore {
  readonly counts: Record<Outcome, number> = { acknowledged: 0, rejected: 0, 'timed-out': 0 };
  readonly #ports: CorePorts;
  readonly #things = new Map<string, RunningThing>();
  /** What is wrong with a file; the thing that it was before goes on. */
  readonly #mistakes = new Map<string, InvalidThing>();
  readonly #scheduler: Scheduler;
  readonly #homie: HomiePublisher;
  readonly #homeAssistant: HomeAssistant | undefined;
  readonly #commands: Commands;
  readonly #dir: ThingsDir;
  #builtIn: ThingConfig | undefined;
  #readings: Readings | undefined;
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor(ports: CorePorts) {
    const { edge, dataRoot, settings, log, clock, random, bus } = ports;
    this.#ports = ports;
    this.#scheduler = new Scheduler(clock, (error) => log.error({ err: error }, 'reading on the beat failed'));
    this.#homie = new HomiePublisher(bus, edge, ROOT_THING, clock, log);
    const { homeAssistant, homeAssistantPrefix, rescanMs } = settings();
    this.#homeAssistant = homeAssistant ? new HomeAssistant(bus, edge.id, ROOT_THING, homeAssistantPrefix, log) : undefined;
    this.#commands = new Commands({
      clock,
      log,
      homie: this.#homie,
      thing: (id) => this.#things.get(id),
      timeoutMs: () => settings().commandTimeoutMs,
      onOutcome: (outcome) => {
        this.counts[outcome]++;
      },
    });
    this.#dir = new ThingsDir({
      dir: join(dataRoot, 'things'),
      clock,
      random,
      log,
      rescanMs,
      onFile: (id, yaml, file) => this.#onFile(id, yaml, file),
      onUnreadable: (id, why, file) => this.#onMistake(id, new InvalidThing([{ file, message: why }])),
      onGone: (id) => this.#onGone(id),
    });
  }

  /** Starts all things, then connects. Subscriptions are made before, so that no command is missed. */
  async start(): Promise<void> {
    const { edge, bus, log, clock, dataRoot, dataDir, settings, environment, drivers, emit } = this.#ports;
    const { outbox, damaged } = Outbox.open(join(dataDir, 'outbox.db'), clock.now());
    if (damaged) log.error({ damaged }, 'the outbox was damaged; it was set aside and a new one begun');
    this.#readings = new Readings({
      bus,
      edge: edge.id,
      clock,
      log,
      outbox,
      flushMs: settings().outboxFlushMs,
      maxReadings: () => settings().outboxMaxReadings,
      onReplay: (reason) => emit('outbox-started', { reason }),
      onReplayed: (readings, dropped) => emit('outbox-replayed', { readings, dropped }),
    });
    this.#readings.start();
    await this.#homeAssistant?.start();
    await this.#homie.start((id) => this.#homeAssistant?.remove(id));
    const hasTemperature = (await cpuThermalZone(environment.root)) !== undefined;
    this.#builtIn = parseThing(ROOT_THING, systemThingYaml({ name: edge.name, dataRoot, hasTemperature }), null, drivers);
    await this.#put(this.#builtIn);
    await this.#dir.start();
    this.#unsubscribe = await bus.subscribe(filters.commands(edge.id), ({ topic, payload, retained }) => {
      // Homie 5, "Property command topic": commands are not retained; an old one would be obeyed at each connection.
      // No bytes at all clear such an old one and are no command: an empty text has one zero byte
      if (!retained && payload.length > 0) void this.#onCommand(topic, payload.toString('utf8'));
    });
    bus.start();
  }

  async stop(): Promise<void> {
    await this.#dir.stop();
    await this.#unsubscribe?.();
    await Promise.all([...this.#things.values()].map((thing) => thing.stop()));
    this.#scheduler.stop();
    this.#homie.stop();
    this.#homeAssistant?.stop();
    await this.#readings?.stop();
    await this.#ports.bus.stop('disconnected');
  }

  /** @throws Error when no reading was begun for so long that the process must have stood still */
  check(): void {
    const lateMs = this.#scheduler.overdueMs;
    if (lateMs > MAX_OVERDUE_MS) throw new Error(`readings are ${Math.round(lateMs)} ms late; ${MAX_OVERDUE_MS} ms at most are wanted`);
  }

  get readings(): Readings | undefined {
    return this.#readings;
  }
  get faults(): number {
    return [...this.#things.values()].reduce((sum, thing) => sum + thing.faults, 0);
  }

  /** All things, the box itself first; also files that never were a thing because of a mistake. */
  views(): ThingView[] {
    const ids = new Set([ROOT_THING, ...[...this.#things.keys(), ...this.#mistakes.keys()].sort()]);
    return [...ids].map((id) => this.#view(id)).filter((view) => view !== undefined);
  }

  /** @throws Problem `not-found` */
  view(id: string): ThingView {
    const view = this.#view(id);
    if (!view) throw new Problem('not-found', `There is no thing ${id}`);
    return view;
  }

  #view(id: string): ThingView | undefined {
    const mistake = this.#mistakes.get(id)?.message;
    const view = this.#things.get(id)?.view();
    if (view) return mistake === undefined ? view : { ...view, fault: mistake };
    if (mistake === undefined) return undefined;
    return { id, name: id, driver: '', enabled: true, state: 'disconnected', file: `${id}.yaml`, fault: mistake, properties: [] };
  }

  /** Every thing file, and the first mistake in each that has one. */
  files(): ThingFileView[] {
    return this.#dir.ids.map((thing) => {
      const { file, ...fault } = this.#mistakes.get(thing)?.mistakes[0] ?? { file: `${thing}.yaml` };
      return { file, thing, ...('message' in fault ? { fault } : {}) };
    });
  }

  /** @throws Problem `not-found` for a thing without a file */
  async readFile(id: string): Promise<string> {
    const yaml = await this.#dir.read(id);
    if (yaml === undefined) throw new Problem('not-found', this.#noFile(id));
    return yaml;
  }

  /** Adds or changes a thing. @throws InvalidThing, and then everything stays as it is */
  async writeFile(id: string, yaml: string): Promise<ThingView> {
    parseThing(id, yaml, `${id}.yaml`, this.#ports.drivers);
    await this.#dir.write(id, yaml);
    return this.view(id);
  }

  /**
   * Reads each property of a thing once as its file would be, and changes nothing.
   * @throws InvalidThing
   */
  async tryOut(id: string, yaml: string, signal: AbortSignal): Promise<TrialReading[]> {
    const { drivers, environment, settings } = this.#ports;
    const config = parseThing(id, yaml, `${id}.yaml`, drivers);
    const withinMs = Math.min(settings().readTimeoutMs, LONGEST_TRIAL_MS);
    return await tryOut(config, { environment, running: this.#things.get(id), withinMs, signal });
  }

  /** Switches a thing off or on in its file. @throws Problem `not-found` for a thing without a file, InvalidThing */
  async enable(id: string, enabled: boolean): Promise<ThingView> {
    const yaml = await this.readFile(id);
    if (parseThing(id, yaml, `${id}.yaml`, this.#ports.drivers).enabled === enabled) return this.view(id);
    return await this.writeFile(id, withEnabled(yaml, enabled));
  }

  /** Reads every thing now, whatever its beat is. Tells how many values were read and how many could not be. */
  async readNow(): Promise<{ read: number; failed: number }> {
    const counts = await Promise.all([...this.#things.values()].map((thing) => thing.readNow()));
    return {
      read: counts.reduce((sum, { read }) => sum + read, 0),
      failed: counts.reduce((sum, { failed }) => sum + failed, 0),
    };
  }

  /** @throws Problem `not-found` for a thing without a file */
  async removeFile(id: string): Promise<void> {
    if (!(await this.#dir.remove(id))) throw new Problem('not-found', this.#noFile(id));
  }

  #noFile(id: string): string {
    return this.#things.has(id) ? `${id} has no file: Ledge made it; write one to change it` : `There is no thing ${id}`;
  }

  /** Sets a property; see {@link Commands.run}. */
  async command(address: PropertyAddress, payload: string, by: string): Promise<Value> {
    return await this.#commands.run(address, payload, by);
  }

  async #onCommand(topic: string, payload: string): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed.kind !== 'set' || !this.#things.has(parsed.thing)) return; // another service's thing
    const { thing, node, property } = parsed;
    await this.#commands.run({ thing, node, property }, payload, 'mqtt').catch((error: unknown) => {
      this.#homie.log(thing, 'warn', `${node}/${property} was not set: ${(error as Error).message}`);
    });
  }

  async #onFile(id: string, yaml: string, file: string): Promise<void> {
    let config: ThingConfig;
    try {
      config = parseThing(id, yaml, file, this.#ports.drivers);
    } catch (error) {
      if (!(error instanceof InvalidThing)) throw error;
      this.#onMistake(id, error);
      return;
    }
    this.#mistakes.delete(id);
    await this.#put(config);
  }

  /** The thing that the file was before, if any, goes on. */
  #onMistake(id: string, mistake: InvalidThing): void {
    this.#mistakes.set(id, mistake);
    this.#ports.log.warn({ thing: id, mistakes: mistake.mistakes, goesOn: this.#things.has(id) }, 'thing file has a mistake');
    for (const one of mistake.mistakes) this.#emitWhenConnected('thing-invalid', one);
  }

  async #onGone(id: string): Promise<void> {
    this.#mistakes.delete(id);
    if (id === ROOT_THING && this.#builtIn) {
      await this.#put(this.#builtIn);
      return;
    }
    const thing = this.#things.get(id);
    if (!thing) return;
    this.#things.delete(id);
    await thing.stop();
    this.#homie.remove(id);
    this.#homeAssistant?.remove(id);
    this.#ports.log.info({ thing: id }, 'thing removed');
    this.#ports.emit('thing-removed', { thing: id });
  }

  async #put(config: ThingConfig): Promise<void> {
    const { id } = config;
    const { log, clock, environment, settings, emit } = this.#ports;
    const before = this.#things.get(id);
    this.#registerSequences(config);
    if (before && sameHardware(before.config, config)) {
      before.adopt(config);
      this.#homie.put(config);
    } else {
      this.#homie.state(id, 'init');
      await before?.stop();
      const thing = new RunningThing(config, {
        clock,
        log,
        scheduler: this.#scheduler,
        environment,
        readTimeoutMs: () => settings().readTimeoutMs,
        listener: this.#listener,
      });
      this.#things.set(id, thing);
      this.#homie.put(config);
      thing.start();
    }
    this.#homeAssistant?.put(config);
    log.info({ thing: id, driver: config.driver.name, properties: config.properties.length }, before ? 'thing changed' : 'thing added');
    emit(before ? 'thing-changed' : 'thing-added', { thing: id });
  }

  #registerSequences({ id, properties }: ThingConfig): void {
    const recorded = properties.filter(({ config }) => config.history);
    try {
      this.#readings?.register(recorded.map(({ node, property }) => ({ thing: id, node, property })));
    } catch (error) {
      this.#ports.log.error({ thing: id, err: error }, 'no sequence numbers for a thing'); // asked for again at its first reading
    }
  }

  readonly #listener: ThingListener = {
    said: (address, property, value, timeMs) => {
      this.#homie.value(address, property, value);
      if (property.config.history) this.#readings?.add(address, value, timeMs);
    },
    faulted: ({ thing, node, property }, { key }, message) => {
      this.#homie.alert(thing, alertId(node, property), message);
      this.#ports.emit('sensor-failed', { thing, property: key, message });
    },
    recovered: ({ thing, node, property }, { key }) => {
      this.#homie.alert(thing, alertId(node, property), undefined);
      this.#ports.emit('sensor-recovered', { thing, property: key });
    },
    state: (id, state) => this.#homie.state(id, state),
    opened: (id, fault) => this.#homie.alert(id, DRIVER_ALERT, fault),
  };

  /** Mistakes in files are mostly found at the start, before anybody hears. */
  #emitWhenConnected<K extends EventKind>(kind: K, payload: EventPayload<K>): void {
    const { bus, emit } = this.#ports;
    if (bus.connected) emit(kind, payload);
    else {
      const cancel = bus.onConnect(() => {
        cancel();
        emit(kind, payload);
      });
    }
  }
}
