import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import {
  type HistoryPoint,
  type KioskSettings,
  type MediaState,
  type Preferences,
  Problem,
  type ProblemCode,
  type ServiceView,
  type Session,
  type ThingView,
  topicMatches,
  topics,
} from '@ledge/contract';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
/** As strict as the real server's, so that a page that needs more fails here. */
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'";

export const EDGE = 'ledge-a1b2c3d4';

type Command = (value: unknown) => void | Promise<void>;

/** A box that speaks the contract as far as the page needs it, and does on command what real boxes do on bad days. */
export class FakeBox {
  readonly #dist: string;
  readonly #retained = new Map<string, string>();
  readonly #readers = new Set<{ filters: string[]; response: ServerResponse }>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => this.#refuse(response, error));
  });
  #port = 0;
  #seq = 0;
  /** Everything that was asked for that is not on this box. */
  readonly paths: string[] = [];
  things: ThingView[] = [];
  services: ServiceView[] = [];
  password: string | undefined = 'correct horse battery';
  sessions = new Set<string>();
  role: 'admin' | 'viewer' = 'admin';
  preferences: Preferences = { theme: 'auto', dashboard: { groupBy: 'thing', order: [], hidden: [] } };
  lockedS = 0;
  busConnected = true;
  /** What happens when a property is set, by `thing/node/property`. */
  readonly commands = new Map<string, Command>();
  /** Recorded readings by `thing/node/property`. */
  readonly history = new Map<string, HistoryPoint[]>();
  kiosk: KioskSettings = { title: '', tiles: [], dark: 'auto' };
  readonly heartbeats: unknown[] = [];
  media: MediaState = {
    state: 'stopped',
    track: null,
    streamTitle: null,
    positionS: null,
    durationS: null,
    volume: 50,
    muted: false,
    repeat: 'off',
    queue: [],
    index: null,
    output: 'simulated',
    fault: null,
  };
  /** What the player was asked to do. */
  readonly mediaAsked: string[] = [];
  onMedia: (asked: string) => void = () => {};
  /** What other services answer, by `service/path`. */
  readonly answers = new Map<string, unknown>();
  readonly restarted: string[] = [];
  readonly published: string[] = [];
  /** What others on the bus do when something is published. */
  onPublish: (topic: string, payload: string) => void = () => {};

  constructor(dist: string) {
    this.#dist = dist;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Goes away as a box without power does: connections break. {@link start} brings it back at the same place. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#readers.clear();
    await closed;
  }

  /** Everybody is signed out; their streams break off, as the gateway does it. */
  endSessions(): void {
    this.sessions.clear();
    for (const { response } of this.#readers) response.destroy();
  }

  retain(topic: string, payload: string): void {
    if (payload === '') this.#retained.delete(topic);
    else this.#retained.set(topic, payload);
    this.say(topic, payload);
  }

  say(topic: string, payload: string): void {
    this.#seq += 1;
    for (const { filters, response } of this.#readers) {
      if (filters.some((filter) => topicMatches(filter, topic))) event(response, 'message', { topic, payload }, `a-${this.#seq}`);
    }
  }

  /** Memory of the broker is lost, as after a power cut. */
  forgetRetained(): void {
    this.#retained.clear();
  }

  setBus(connected: boolean): void {
    this.busConnected = connected;
    for (const { filters, response } of this.#readers) {
      event(response, 'bus', { connected });
      if (connected) this.#sayRetained(filters, response);
    }
  }

  #sayRetained(filters: readonly string[], response: ServerResponse): void {
    for (const filter of filters) {
      for (const [topic, payload] of this.#retained) {
        if (topicMatches(filter, topic)) event(response, 'message', { topic, payload, retained: true });
      }
      event(response, 'live', { topic: filter }, `a-${this.#seq}`);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.paths.push(url.pathname);
    const [, api, service, ...rest] = url.pathname.split('/');
    if (api !== 'api') return this.#file(url.pathname, response);
    const route = `${request.method} /${service}/${rest[0] ?? ''}`;
    const body = request.method === 'GET' ? {} : ((await readJson(request)) as Record<string, unknown>);
    switch (route) {
      case 'GET /server/health':
        return json(response, {
          state: 'ready',
          version: '0.1.0',
          uptimeS: 60,
          edge: EDGE,
          name: 'Garden house',
          setupNeeded: this.password === undefined,
          services: {},
        });
      case 'POST /server/setup':
        if (this.password !== undefined) throw new Problem('setup-done', 'The admin password has been chosen already.');
        if (String(body.password).length < 10) throw new Problem('weak-password', 'it has too few characters; 10 or more are wanted');
        this.password = String(body.password);
        return this.#signIn(response);
      case 'POST /server/login':
        if (this.lockedS > 0) throw new Problem('too-many-tries', 'admin is locked.', { retryAfterS: this.lockedS });
        if (body.password !== this.password) throw new Problem('wrong-password', 'Name or password is wrong.');
        return this.#signIn(response);
      case 'POST /server/logout':
        this.endSessions();
        return void response.writeHead(204).end();
    }
    this.#checkSession(request);
    switch (route) {
      case 'GET /server/session':
        return json(response, this.#session());
      case 'GET /server/preferences':
        return json(response, this.preferences);
      case 'PUT /server/preferences':
        this.preferences = body as Preferences;
        return json(response, this.preferences);
      case 'GET /server/services':
        if (rest.length === 1) return json(response, this.services);
        break;
      case 'POST /server/services':
        this.restarted.push(rest[1] ?? '');
        return json(response, { name: rest[1], state: 'init' });
      case 'GET /device/things':
        return json(response, this.things);
      case 'PUT /device/things':
        await this.commands.get(rest.slice(1).join('/'))?.(body.value);
        return json(response, { outcome: 'acknowledged', value: body.value, time: new Date().toISOString() });
      case 'POST /sse/publish':
        this.published.push(`${String(body.topic)} ${String(body.value)}`);
        this.onPublish(String(body.topic), String(body.value));
        return json(response, { topic: body.topic });
      case 'GET /sse/stream':
        return this.#stream(url, response);
      case 'GET /server/history':
        return this.#history(rest.slice(1), response);
      case 'GET /server/kiosk':
        return json(response, this.kiosk);
      case 'PUT /server/kiosk':
        this.kiosk = body as KioskSettings;
        return json(response, this.kiosk);
      case 'POST /server/kiosk':
        this.heartbeats.push(body);
        return void response.writeHead(204).end();
    }
    if (service === 'media') {
      if (request.method === 'POST') {
        const asked = `${rest[0]} ${JSON.stringify(body)}`;
        this.mediaAsked.push(asked);
        this.onMedia(asked);
      }
      return json(response, this.media);
    }
    const answer = this.answers.get(`${service}/${rest.join('/')}`);
    if (answer !== undefined) return json(response, answer);
    throw new Problem('not-found', `There is nothing at ${url.pathname}`);
  }

  #history(address: readonly string[], response: ServerResponse): void {
    const points = this.history.get(address.slice(0, 3).join('/'));
    if (!points) throw new Problem('not-found', `${address.join('/')} has no history`);
    if (address[3] !== 'csv') {
      json(response, { resolution: 'minute', points });
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/csv' });
    response.end(['time,value', ...points.map(({ time, value, mean }) => `${time},${value ?? mean}`)].join('\n'));
  }

  #session(): Session {
    return { user: 'admin', role: this.role, expires: new Date(Date.now() + 3_600_000).toISOString() };
  }

  #signIn(response: ServerResponse): void {
    const id = String(Math.random());
    this.sessions.add(id);
    response.setHeader('Set-Cookie', `session=${id}; HttpOnly; SameSite=Strict; Path=/`);
    json(response, this.#session());
  }

  #checkSession(request: IncomingMessage): void {
    const id = /session=([\d.]+)/.exec(request.headers.cookie ?? '')?.[1];
    if (id === undefined || !this.sessions.has(id)) throw new Problem('not-signed-in', 'Sign in first.');
  }

  #stream(url: URL, response: ServerResponse): void {
    const reader = { filters: url.searchParams.getAll('topic'), response };
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
    event(response, 'bus', { connected: this.busConnected });
    this.#sayRetained(reader.filters, response);
    this.#readers.add(reader);
    response.once('close', () => this.#readers.delete(reader));
  }

  #file(path: string, response: ServerResponse): void {
    const file = join(this.#dist, normalize(path === '/kiosk' ? '/kiosk.html' : extname(path) === '' ? '/index.html' : path));
    try {
      const bytes = readFileSync(file);
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': POLICY });
      response.end(bytes);
    } catch {
      throw new Problem('not-found', `There is nothing at ${path}`);
    }
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem('internal', String(error));
    if (problem.retryAfterS !== undefined) response.setHeader('Retry-After', String(problem.retryAfterS));
    response.writeHead(problem.status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(problem.toDocument()));
  }
}

function event(response: ServerResponse, name: string, data: unknown, id?: string): void {
  response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
};

async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = Buffer.concat(await request.toArray()).toString();
  return text === '' ? {} : JSON.parse(text);
}

export const refusal =
  (code: ProblemCode, sentence: string): Command =>
  () => {
    throw new Problem(code, sentence);
  };

const property = (datatype: string, name: string, more: Record<string, unknown> = {}) => ({ name, datatype, ...more });
const at = (thing: string, name: string) => topics.property(EDGE, { thing, node: 'main', property: name });

/** A thing with its description and values, retained as Homie says. */
export function addThing(
  box: FakeBox,
  id: string,
  name: string,
  properties: Record<string, ReturnType<typeof property>>,
  values: Record<string, string>,
  root?: string,
): void {
  const nodes = { main: { name: 'Main', properties } };
  box.retain(topics.description(EDGE, id), JSON.stringify({ homie: '5.0', version: 1, name, nodes, root, parent: root }));
  for (const [key, value] of Object.entries(values)) box.retain(at(id, key), value);
  box.retain(topics.state(EDGE, id), 'ready');
}

/** A box as people have one: sensors, switches, a choice, a number, something broken. */
export function furnish(box: FakeBox): void {
  addThing(
    box,
    'greenhouse',
    'Greenhouse',
    {
      temperature: property('float', 'Temperature', { unit: '°C' }),
      humidity: property('float', 'Humidity', { unit: '%' }),
      window: property('boolean', 'Window', { format: 'closed,open' }),
    },
    { temperature: '21.4', humidity: '63', window: 'true' },
  );
  addThing(
    box,
    'pump',
    'Pump',
    {
      on: property('boolean', 'Running', { settable: true }),
      mode: property('enum', 'Mode', { settable: true, format: 'off,eco,boost' }),
      target: property('float', 'Target pressure', { settable: true, unit: 'bar', format: '0:6:0.1' }),
      flow: property('float', 'Flow', { unit: 'L/min' }),
    },
    { on: 'false', mode: 'eco', target: '2.5', flow: '0' },
  );
  addThing(
    box,
    'box',
    'This box',
    {
      cpu: property('float', 'Processor temperature', { unit: '°C' }),
      load: property('float', 'Load', { unit: '%' }),
      memory: property('float', 'Memory used', { unit: '%' }),
      disk: property('float', 'Disk used', { unit: '%' }),
    },
    { cpu: '48.3', load: '7.25', memory: '41.8', disk: '23' },
  );
  addThing(
    box,
    'cellar',
    'Cellar',
    { temperature: property('float', 'Temperature', { unit: '°C' }), note: property('string', 'Note') },
    { temperature: '11.9', note: 'Filter changed in May' },
  );
  box.retain(`${EDGE}/5/cellar/$alert/sensor`, 'The sensor 28-0316a279c4ff does not answer. Is it plugged in?');
  addThing(
    box,
    'gate',
    'Garden gate',
    { open: property('boolean', 'Gate', { format: 'closed,open' }), battery: property('integer', 'Battery', { unit: '%' }) },
    { open: 'false', battery: '12' },
  );
  box.retain(topics.state(EDGE, 'gate'), 'lost');
  const measuredMs = Date.now() - 4000;
  box.things = ['greenhouse', 'pump', 'box', 'cellar', 'gate'].map((id) => ({
    id,
    name: id,
    driver: 'simulated',
    state: 'ready',
    enabled: true,
    file: null,
    fault: null,
    properties: [
      'temperature',
      'humidity',
      'window',
      'on',
      'mode',
      'target',
      'flow',
      'cpu',
      'load',
      'memory',
      'disk',
      'note',
      'open',
      'battery',
    ].map((name) => ({
      node: 'main',
      property: name,
      name,
      datatype: 'string',
      settable: false,
      value: null,
      time: new Date(id === 'gate' ? measuredMs - 7_200_000 : measuredMs).toISOString(),
      fault: null,
    })),
  }));
  const summaries = {
    broker: 'The message bus',
    device: 'Sensors and switches',
    media: 'Sound',
    server: 'Pages, sign-in, history',
    sse: 'The bus for browsers',
  };
  box.services = Object.entries(summaries).map(([name, summary], i) => ({
    name,
    summary,
    version: '0.1.0',
    state: name === 'media' ? 'degraded' : 'ready',
    ...(name === 'media' ? { detail: 'mplayer is not installed', restarts: 2 } : {}),
    instance: 'one',
    memoryBytes: (31 + i * 4) * 1024 * 1024,
    controllable: true,
  }));
}
