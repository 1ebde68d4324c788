import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem, shown } from '@ledge/contract';
import { isMap, isScalar, LineCounter, parseDocument, parse as parseYaml, stringify } from 'yaml';
import { z } from 'zod';
import { jsonSchema } from './openapi.ts';
import { type DataDir, type Environment, writeFileAtomic } from './paths.ts';

export type SettingSource = 'default' | 'project' | 'ledge.yaml' | 'settings' | 'environment';

/** Settings of the whole box, the `edge` section of ledge.yaml. */
export const edgeSettingsSchema = z.strictObject({
  name: z.string().min(1).max(64).default('Ledge').meta({ title: 'Name', description: 'what people call this box' }),
});

/** Where each service has a user of its own, others of their group read a few keys of it ({@link peekSettings}). */
const SAVED_MODE = 0o640;

/** Settings that have a short name of their own in the environment, because people set them on the command line. */
const SHARED_ENVIRONMENT: Record<string, Record<string, string>> = {
  broker: { port: 'EDGE_MQTT_PORT', host: 'EDGE_HOST' },
  server: { port: 'EDGE_HTTP_PORT', host: 'EDGE_HOST' },
};

/** Variables that are no setting of one service; some are for builds and containers, and may be set all the same. */
export const KNOWN_ENVIRONMENT = new Set([
  'EDGE_ADMIN_PASSWORD',
  'EDGE_ADVERTISE',
  'EDGE_CACHE',
  'EDGE_DATA',
  'EDGE_DEBIAN_MIRROR',
  'EDGE_GATEWAY_SECRET',
  'EDGE_HOST',
  'EDGE_HTTP_PORT',
  'EDGE_ID',
  'EDGE_IMAGE',
  'EDGE_KEYS',
  'EDGE_LISTEN',
  'EDGE_LOG_LEVEL',
  'EDGE_MACHINE_TYPE',
  'EDGE_MQTT_PORT',
  'EDGE_MQTT_URL',
  'EDGE_NAME',
  'EDGE_PROJECT',
  'EDGE_PUBLISH',
  'EDGE_RUN',
  'EDGE_SERVICE',
  'EDGE_TAG',
  'EDGE_WEBUI',
]);

const upperSnake = (key: string) =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
/** `port` of `broker` is `EDGE_BROKER_PORT`. */
export const environmentName = (service: string, key: string) => `EDGE_${upperSnake(service)}_${upperSnake(key)}`;

interface Layer {
  source: SettingSource;
  values: Record<string, unknown>;
  /** Where a key of this layer stands, for error sentences: `ledge.yaml:12`, `EDGE_BROKER_PORT`. */
  where(key: string): string;
}

/** Reads a YAML file whose top level is a map, and can tell the line of a key. Missing file: empty. */
function readYaml(file: string): { values: Record<string, unknown>; lineOf(path: readonly string[]): number | undefined } {
  if (!existsSync(file)) return { values: {}, lineOf: () => undefined };
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
  const [fault] = document.errors;
  if (fault)
    throw new Problem('config-invalid', `${file}:${fault.linePos?.[0].line ?? 1}: ${fault.message.split('\n')[0]}`, { cause: fault });
  const values: unknown = document.toJS() ?? {};
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new Problem('config-invalid', `${file}:1: the file is ${shown(values)}; sections such as "broker:" are wanted`);
  }
  return {
    values: values as Record<string, unknown>,
    lineOf(path) {
      let node: unknown = document.contents;
      let line: number | undefined;
      for (const step of path) {
        if (!isMap(node)) return line;
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
        if (!pair) return line;
        if (isScalar(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line;
        node = pair.value;
      }
      return line;
    },
  };
}

function section(file: string, name: string, source: SettingSource): Layer {
  const yaml = readYaml(file);
  const values = yaml.values[name] ?? {};
  const where = (key: string) => `${file}:${yaml.lineOf([name, key]) ?? 1}`;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new Problem('config-invalid', `${where('')}: ${name} is ${shown(values)}; keys and values are wanted below it`);
  }
  return { source, values: values as Record<string, unknown>, where };
}

/** What the project says that this box runs, and then what its owner wrote. */
function fileLayers(name: string, data: DataDir, { EDGE_PROJECT: project }: Environment): Layer[] {
  const own = section(data.configFile, name, 'ledge.yaml');
  return project ? [section(join(project, 'ledge.yaml'), name, 'project'), own] : [own];
}

/** Names of the sections that stand in ledge.yaml, each with its line. Whoever knows all services checks them. */
export function sectionsOf(file: string): { name: string; line: number }[] {
  const yaml = readYaml(file);
  return Object.keys(yaml.values).map((name) => ({ name, line: yaml.lineOf([name]) ?? 1 }));
}

function savedLayer(file: string): Layer {
  const yaml = readYaml(file);
  return { source: 'settings', values: yaml.values, where: (key) => `${file}:${yaml.lineOf([key]) ?? 1}` };
}

/** Would the service start with this file of saved settings? @throws Problem `config-invalid` */
export function checkSavedSettings(service: string, schema: z.ZodObject, data: DataDir, environment: Environment, file: string): void {
  merge(schema, [...fileLayers(service, data, environment), savedLayer(file), environmentLayer(service, schema, environment)]);
}

/** Text is taken as the key wants it: as it stands, or read as YAML (numbers, true and false, lists). */
function environmentValue(schema: z.ZodType | undefined, text: string): unknown {
  if (!schema || schema.safeParse(text).success) return text;
  try {
    return parseYaml(text);
  } catch {
    return text;
  }
}

function environmentLayer(service: string, schema: z.ZodObject, environment: Environment): Layer {
  const prefix = `EDGE_${upperSnake(service)}_`;
  const nameOf = new Map<string, string>();
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(schema.shape)) {
    for (const name of [SHARED_ENVIRONMENT[service]?.[key], environmentName(service, key)]) {
      const text = name && environment[name];
      if (!name || text === undefined || text === '') continue;
      values[key] = environmentValue(field as z.ZodType, text);
      nameOf.set(key, name);
    }
  }
  const known = new Set(Object.keys(schema.shape).map((key) => environmentName(service, key)));
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(prefix) || known.has(name) || KNOWN_ENVIRONMENT.has(name)) continue;
    const wanted = [...known].join(', ');
    throw new Problem(
      'config-invalid',
      `${name} is ${shown(environment[name])}, but ${service} has no such setting; known are ${wanted || 'none'}`,
    );
  }
  return { source: 'environment', values, where: (key) => nameOf.get(key) ?? prefix };
}

function merge<Schema extends z.ZodObject>(schema: Schema, layers: readonly Layer[]): z.output<Schema> {
  const merged = Object.assign({}, ...layers.map((layer) => layer.values)) as Record<string, unknown>;
  const result = schema.strict().safeParse(merged);
  if (result.success) return result.data as z.output<Schema>;
  const sentences = result.error.issues.map((issue) => {
    const key = issue.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : String(issue.path[0] ?? '');
    const layer = layers.findLast((l) => key in l.values);
    const value = merged[key];
    const wanted =
      issue.code === 'unrecognized_keys'
        ? `there is no such setting; known are ${Object.keys(schema.shape).join(', ')}`
        : issue.message.replace(/^Invalid input: /, '');
    return `${layer?.where(key) ?? 'settings'}: ${key} is ${isSecret(schema, key) ? 'not told' : shown(value)}; ${wanted}`;
  });
  throw new Problem('config-invalid', sentences.join('\n'), { cause: result.error });
}

const metaOf = (schema: z.ZodObject, key: string) => (schema.shape[key] as z.ZodType | undefined)?.meta();
const needsRestart = (schema: z.ZodObject, key: string) => metaOf(schema, key)?.restart === true;
/** Can be set, and is never told: not by the API, not in an error. */
const isSecret = (schema: z.ZodObject, key: string) => metaOf(schema, key)?.writeOnly === true;

/**
 * Settings of one service: built-in default < the project's ledge.yaml < the box's own < what the settings page saved < environment.
 * Unknown or wrong keys throw `config-invalid` with file, line, key, value and what was wanted.
 */
export class Settings<Schema extends z.ZodObject> {
  readonly #service: string;
  readonly #schema: Schema;
  readonly #data: DataDir;
  readonly #environment: Environment;
  #running: z.output<Schema>;
  #saved: z.output<Schema>;

  constructor(service: string, schema: Schema, data: DataDir, environment: Environment) {
    this.#service = service;
    this.#schema = schema;
    this.#data = data;
    this.#environment = environment;
    this.#saved = merge(schema, this.#layers());
    this.#running = this.#saved;
  }

  /** What is in force now: keys that need a restart keep their value from the start. */
  get current(): z.output<Schema> {
    return this.#running;
  }

  #layers(saved: Layer = savedLayer(this.#data.settingsFile(this.#service))): Layer[] {
    const [service, environment] = [this.#service, this.#environment];
    return [...fileLayers(service, this.#data, environment), saved, environmentLayer(service, this.#schema, environment)];
  }

  view(): {
    values: Record<string, unknown>;
    sources: Record<string, SettingSource>;
    schema: Record<string, unknown>;
    restartNeeded: boolean;
  } {
    const layers = this.#layers();
    const told = Object.entries(this.#saved).filter(([key]) => !isSecret(this.#schema, key));
    const sources = Object.fromEntries(
      Object.keys(this.#schema.shape).map((key) => [key, layers.findLast((layer) => key in layer.values)?.source ?? ('default' as const)]),
    );
    return {
      values: Object.fromEntries(told),
      sources,
      schema: jsonSchema(this.#schema, 'input'),
      restartNeeded: Object.keys(this.#schema.shape).some((key) => !same(this.#saved[key], this.#running[key])),
    };
  }

  /**
   * Saves changed keys; null brings back what stands below. Returns the keys that are in force at once, which may be none.
   * @throws Problem `invalid-value` for wrong ones (nothing is saved), `locked-by-environment` for keys that the environment fixes.
   */
  change(changes: Readonly<Record<string, unknown>>, canApply: boolean): string[] {
    const file = this.#data.settingsFile(this.#service);
    const locked = environmentLayer(this.#service, this.#schema, this.#environment);
    for (const key of Object.keys(changes)) {
      if (key in locked.values) throw new Problem('locked-by-environment', `${key} is fixed by ${locked.where(key)}; change it there`);
    }
    const values = { ...savedLayer(file).values, ...changes };
    for (const [key, value] of Object.entries(values)) if (value === null) delete values[key];
    const next = this.#check(values);
    writeFileAtomic(file, stringify(values), SAVED_MODE);
    this.#saved = next;
    const changed = Object.keys(this.#schema.shape).filter((key) => !same(next[key], this.#running[key]));
    const applied = canApply ? changed.filter((key) => !needsRestart(this.#schema, key)) : [];
    this.#running = { ...this.#running, ...Object.fromEntries(applied.map((key) => [key, next[key]])) };
    return applied;
  }

  #check(values: Record<string, unknown>): z.output<Schema> {
    try {
      return merge(this.#schema, this.#layers({ source: 'settings', values, where: () => 'settings' }));
    } catch (error) {
      if (!(error instanceof Problem) || !(error.cause instanceof z.ZodError)) throw error;
      const errors = error.cause.issues.map((issue) => {
        const field = issue.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : issue.path.join('.');
        return { field, message: issue.message.replace(/^Invalid input: /, '') };
      });
      throw new Problem('invalid-value', error.message, { cause: error.cause, errors });
    }
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The box: its id and name. `EDGE_ID` and `EDGE_NAME` win over the files. */
export function readEdge(data: DataDir, environment: Environment): { id: string; name: string } {
  const saved = savedLayer(data.settingsFile('edge'));
  const named: Layer = {
    source: 'environment',
    values: environment.EDGE_NAME ? { name: environment.EDGE_NAME } : {},
    where: () => 'EDGE_NAME',
  };
  const { name } = merge(edgeSettingsSchema, [...fileLayers('edge', data, environment), saved, named]);
  const id = environment.EDGE_ID ?? data.edgeId();
  if (!/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(id)) {
    throw new Problem(
      'config-invalid',
      `EDGE_ID is ${shown(id)}; lower-case letters, digits and hyphens are wanted, such as ledge-a1b2c3d4`,
    );
  }
  return { id, name };
}

/**
 * Saves what people call this box. Services take it at their next start.
 * @throws Problem `locked-by-environment` where `EDGE_NAME` fixes it, `invalid-value`
 */
export function renameEdge(data: DataDir, environment: Environment, name: string): void {
  if (environment.EDGE_NAME) throw new Problem('locked-by-environment', 'name is fixed by EDGE_NAME; change it there');
  new Settings('edge', edgeSettingsSchema, data, environment).change({ name }, false);
}

/**
 * A few settings of another service, as that service will read them; its other keys are left to itself.
 * @throws Problem `config-invalid` for wrong values of the keys asked for.
 */
export function peekSettings<Schema extends z.ZodObject>(
  service: string,
  schema: Schema,
  data: DataDir,
  environment: Environment,
): z.output<Schema> {
  const asked = Object.keys(schema.shape);
  const only = (layer: Layer): Layer => ({
    ...layer,
    values: Object.fromEntries(Object.entries(layer.values).filter(([key]) => asked.includes(key))),
  });
  const named = Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith(`EDGE_${upperSnake(service)}_`) || asked.some((key) => environmentName(service, key) === name),
    ),
  );
  const layers = [
    ...fileLayers(service, data, environment),
    savedLayer(data.settingsFile(service)),
    environmentLayer(service, schema, named),
  ];
  return merge(schema, layers.map(only));
}

/** Port and host of a service that listens for people or devices. */
export const listenerSchema = (port: number) =>
  z.object({ port: z.int().min(1).max(65535).default(port), host: z.string().min(1).default('127.0.0.1') });
export const DEFAULT_PORTS = { broker: 1883, server: 8080 } as const;

/** Where services find the broker: `EDGE_MQTT_URL`, or the host and port that the broker's own settings say. */
export function brokerUrl(data: DataDir, environment: Environment): string {
  if (environment.EDGE_MQTT_URL) return environment.EDGE_MQTT_URL;
  const { port, host } = peekSettings('broker', listenerSchema(DEFAULT_PORTS.broker), data, environment);
  const reachable = ['0.0.0.0', '::', '*'].includes(host) ? '127.0.0.1' : host;
  return `mqtt://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
