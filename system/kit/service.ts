import type { EventKind, EventPayload, Operation, Tile } from '@ledge/contract';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { Api } from './api.ts';
import type { PartFacts, Precious } from './backup/precious.ts';
import type { Bus, Clock, Logger, Random } from './ports.ts';
import type { Things } from './things/things.ts';

/** Something that can be done by a button: `POST /actions/<name>`. */
export interface Action<S, I extends z.ZodType = z.ZodType> {
  /** What stands on the button. */
  title: string;
  /** Asked before it runs, when it cannot be taken back. */
  confirm?: string;
  /** Schema of the body; without it none is taken. A body that is left out counts as `{}`. */
  input?: I;
  /** What it returns is told as `result`. Throws a Problem when it cannot be done. */
  run(context: ServiceContext<S>, input: z.output<I>): Promise<unknown> | unknown;
}

/** Actions by name: lower-case letters, digits, hyphens. */
// biome-ignore lint/suspicious/noExplicitAny: each action has an input of its own
export type Actions<S> = Record<string, Action<S, any>>;

/** What `start` receives: everything that a service may touch. */
export interface ServiceContext<S> {
  /** The service's own, as its definition says. */
  readonly name: string;
  /** The box: its id (also its Homie domain and first topic level) and the name that people gave it. */
  readonly edge: { readonly id: string; readonly name: string };
  /** The data directory of the whole box. */
  readonly dataRoot: string;
  /** A directory of this service's own below it; it exists. */
  readonly dataDir: string;
  /** The settings in force now. They change with {@link Running.apply}: read `context.settings` when you need one, and keep no copy. */
  readonly settings: S;
  /** JSON lines: `log.info({ facts }, 'a sentence')`; see pino. */
  readonly log: Logger;
  /** Time; a test moves it. */
  readonly clock: Clock;
  /** Chance; a test decides it. */
  readonly random: Random;
  /** MQTT; see `things` for what is read and set by name. */
  readonly bus: Bus;
  /** Things, to watch and to command. */
  readonly things: Things;
  /** The service's own API, which the gateway shows at `/api/<name>`. */
  readonly api: Api;
  /** For metric classes: `new Gauge({ name, help, registers: [context.metrics] })`. They are told at `GET /metrics`. */
  readonly metrics: Registry;
  /** Ends when the service is told to stop. */
  readonly signal: AbortSignal;
  /** Says an event of the contract's list on `<edge>/event/<kind>`; silently not, while the broker is away. */
  emit<K extends EventKind>(kind: K, payload: EventPayload<K>): void;
}

/** What `start` gives back. */
export interface Running<S> {
  /** Throws when the service is not well, or takes longer than 3 s. The watchdog is fed only after it returned. */
  check?(): Promise<void> | void;
  /**
   * Takes changed settings over without a restart; `apply() {}` for a service that reads each when it needs it. Without `apply`, and for keys with
   * `restart: true` in their meta, a change waits for the next start.
   */
  apply?(settings: S): Promise<void> | void;
  /** What a backup asks of the service while it runs. */
  backup?: PartFacts;
  /** Gives everything back that `start` took, in less than 5 s. What came from the context ends by itself. */
  stop?(): Promise<void> | void;
  /** Actions that need what `start` made; beside those of the definition, which need nothing but the context. */
  actions?: Actions<S>;
}

/**
 * A service as data. `settings` is a flat zod object; every key has a default and, in its `meta`, a title and a unit. A secret has
 * `writeOnly: true, format: 'password'` there: it can be set, and is never told.
 */
export interface ServiceDefinition<Schema extends z.ZodObject> {
  /** Lower-case letters, digits, hyphens: unit `ledge-<name>`, API `/api/<name>`. */
  name: string;
  /** Told in the registry, for people: `1.0.0`. */
  version: string;
  /** What it does, in one line for people. */
  summary: string;
  /** Flat: `z.object({ limit: z.number().default(3).meta({ title: 'Warn below', unit: '°C' }) })`; `z.object({})` for none. */
  settings: Schema;
  /** Actions that need nothing but the context; see also {@link Running}. */
  actions?: Actions<z.output<Schema>>;
  /** Tiles on the dashboard. */
  tiles?: readonly Tile[];
  /** Operations that are documented although the service serves them itself and not through `api.handle`. */
  documented?: readonly Operation[];
  /** The broker keeps what comes at QoS 1 for this service while it is away (one instance only). */
  keepSession?: boolean;
  /** What of its files belongs in a backup, beside its settings. */
  precious?: Precious;
  /** The service answers `GET /health` itself. */
  ownHealth?: boolean;
  /**
   * Runs once. Subscribe and watch here: it runs before the bus connects, so that nothing is missed, and must not wait for the broker.
   * What it throws ends the process: with code 78 for a Problem `config-invalid`, and then it is not started again.
   */
  start(context: ServiceContext<z.output<Schema>>): Promise<Running<z.output<Schema>>> | Running<z.output<Schema>>;
}

/** Keeps the types; does nothing else. `runService` runs what it returns. */
export const defineService = <Schema extends z.ZodObject>(definition: ServiceDefinition<Schema>): ServiceDefinition<Schema> => definition;
