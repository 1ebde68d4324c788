import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DeviceState,
  formatPayload,
  type HomieProperty,
  type PropertyAddress,
  parseTopic,
  type Role,
  topics,
  type Value,
} from '@ledge/contract';
import { CALLER_HEADERS, createLogger, runService, type ServiceDefinition } from '@ledge/kit';
import { type FakeClock, fakeClock, type MemoryBus, memoryBus } from '@ledge/testing';
import type { z } from 'zod';

const EDGE = 'ledge-test';

/** An answer of the service's API. */
export interface TestAnswer {
  /** HTTP status. */
  status: number;
  /** JSON as a value, anything else as text, undefined for none. */
  body: unknown;
}

/** How a thing of the test describes a property, where it is not what the value suggests (`float`, `boolean`, `string`; not settable). */
export interface SaidProperty extends Partial<Omit<HomieProperty, 'name'>> {
  /** It takes no command, for this reason. Without it a settable property does at once what it is told. */
  refuses?: string;
}

/** A service that runs for a test: on a bus in memory and a clock that stands still, with a data directory of its own. */
export interface TestedService {
  /** Asks as an admin, or as who has the given role. The path is the service's own: `/coldest`, `/health`, `/metrics`. */
  get(path: string, as?: Role): Promise<TestAnswer>;
  /** The body goes as JSON. */
  put(path: string, body: unknown, as?: Role): Promise<TestAnswer>;
  /** The body goes as JSON: `post('/actions/reset')`. */
  post(path: string, body?: unknown, as?: Role): Promise<TestAnswer>;
  /** As `get`. */
  delete(path: string, as?: Role): Promise<TestAnswer>;
  /** A thing says a value of the property `<thing>/<node>/<property>`, which is described on the bus before. */
  say(path: string, value: Value, property?: SaidProperty): void;
  /** A thing says its state; until then it says none. */
  sayState(thing: string, state: DeviceState): void;
  /** What the service published, in order. Topics are whole: `ledge-test/5/…`. */
  readonly published: readonly { topic: string; payload: string }[];
  /** What it commanded, in order: property and payload. */
  readonly commanded: readonly [path: string, payload: string][];
  /** Its log lines, in order; `msg` is the sentence. */
  readonly logged: readonly Record<string, unknown>[];
  /** Moves only by `await clock.advance(ms)`; `advance(0)` lets promises settle. */
  readonly clock: FakeClock;
  /** The broker: everything on it, and a plug to pull. */
  readonly bus: MemoryBus;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
  /** For `await using`: stops it at the end of the test. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Runs a service as a box would, without a broker and without an open port.
 * @param options `settings`: as they would stand in `ledge.yaml`
 * @throws Problem `config-invalid` for wrong settings, or what its `start` threw
 */
export async function testService<Schema extends z.ZodObject>(
  definition: ServiceDefinition<Schema>,
  options: { settings?: Partial<z.input<Schema>> } = {},
): Promise<TestedService> {
  const dataRoot = mkdtempSync(join(tmpdir(), 'ledge-test-'));
  const remove = () => rmSync(dataRoot, { recursive: true, force: true });
  if (options.settings) writeFileSync(join(dataRoot, 'ledge.yaml'), JSON.stringify({ [definition.name]: options.settings }));
  const environment = { EDGE_DATA: dataRoot, EDGE_ID: EDGE };
  const clock = fakeClock();
  const bus = memoryBus({ connected: false });
  const logged: Record<string, unknown>[] = [];
  const log = createLogger(definition.name, environment, { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
  const things = new TestThings(bus);
  const running = await runService(definition, {
    environment,
    clock,
    random: () => 0.5,
    log,
    openBus: ({ will }) =>
      Object.assign(bus, {
        start: () => bus.connect(),
        stop: async (farewell?: object | string | Uint8Array) => {
          if (will && farewell) bus.retain(will.topic, farewell);
          bus.disconnect();
        },
      }),
  }).catch((error: unknown) => {
    remove();
    throw error;
  });
  const socketPath = running.address.replace(/^(?:unix|pipe):/, '');
  const stop = async () => {
    await running.stop();
    remove();
  };
  return {
    get: (path, as) => ask(socketPath, 'GET', path, undefined, as),
    put: (path, body, as) => ask(socketPath, 'PUT', path, body, as),
    post: (path, body, as) => ask(socketPath, 'POST', path, body, as),
    delete: (path, as) => ask(socketPath, 'DELETE', path, undefined, as),
    say: (path, value, property) => things.say(path, value, property),
    sayState: (thing, state) => things.sayState(thing, state),
    get published() {
      return bus.said.map(({ topic, payload }) => ({ topic, payload }));
    },
    get commanded() {
      return bus.said.flatMap(({ topic, payload }): [string, string][] => {
        const parsed = parseTopic(topic);
        return parsed.kind === 'set' ? [[`${parsed.thing}/${parsed.node}/${parsed.property}`, payload]] : [];
      });
    },
    logged,
    clock,
    bus,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function ask(socketPath: string, method: string, path: string, body: unknown, as: Role = 'admin'): Promise<TestAnswer> {
  const headers = {
    [CALLER_HEADERS.user]: 'test',
    [CALLER_HEADERS.role]: as,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return await new Promise((resolve, reject) => {
    const call = request({ agent: false, socketPath, method, path, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const isJson = /[/+]json/.test(response.headers['content-type'] ?? '');
        resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : isJson ? JSON.parse(text) : text });
      });
    });
    call.once('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const datatypeOf = (value: Value) => (typeof value === 'number' ? 'float' : typeof value === 'boolean' ? 'boolean' : 'string');

type TestNodes = Record<string, { properties: Record<string, Partial<HomieProperty>> }>;

/** Things that say what the test says, and do at once what they are told. */
class TestThings {
  readonly #bus: MemoryBus;
  readonly #nodes = new Map<string, TestNodes>();
  readonly #refusals = new Map<string, string | undefined>();

  constructor(bus: MemoryBus) {
    this.#bus = bus;
  }

  say(path: string, value: Value, { refuses, ...given }: SaidProperty = {}): void {
    const [thing = '', node = '', property = ''] = path.split('/');
    const address: PropertyAddress = { thing, node, property };
    const nodes = this.#nodes.get(thing) ?? {};
    const properties = nodes[node]?.properties ?? {};
    const described = { datatype: datatypeOf(value), ...properties[property], ...given } as const;
    const isNew = properties[property] === undefined;
    properties[property] = described;
    nodes[node] = { properties };
    this.#nodes.set(thing, nodes);
    this.#refusals.set(path, refuses);
    this.#bus.receive(topics.description(EDGE, thing), { homie: '5.0', version: 1, nodes }, { keep: true });
    this.#bus.receive(topics.property(EDGE, address), formatPayload(value), { keep: described.retained !== false });
    if (!isNew) return;
    void this.#bus.subscribe(topics.set(EDGE, address), ({ payload }) => {
      const reason = this.#refusals.get(path);
      if (reason === undefined) this.#bus.receive(topics.property(EDGE, address), payload, { keep: true });
      else this.#bus.receive(topics.log(EDGE, thing, 'warn'), `${node}/${property} was not set: ${reason}`);
    });
  }

  sayState(thing: string, state: DeviceState): void {
    this.#bus.receive(topics.state(EDGE, thing), state, { keep: true });
  }
}
