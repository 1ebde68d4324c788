import { until } from '@ledge/testing';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Appliance, allWell, SERVICES, startAppliance } from './appliance.ts';

interface Described {
  'x-audience': 'public' | 'viewer' | 'admin';
  requestBody?: unknown;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
interface Document {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, object> };
}

let ledge: Appliance;
let document: Document;
let validate: (schema: object) => ValidateFunction;

beforeAll(async () => {
  ledge = await startAppliance({
    things: { 'lamp.yaml': 'driver: simulated\nproperties:\n  on: { datatype: boolean, settable: true }\n' },
  });
  document = (await ledge.api<Document>('GET', '/api/openapi.json')).body;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'document', components: document.components });
  validate = (schema) => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as object);
});
afterAll(() => ledge?.stop());

test('the merged document is valid OpenAPI and holds every service', async () => {
  const result = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  for (const name of SERVICES)
    expect(Object.keys(document.paths).filter((path) => path.startsWith(`/api/${name}/`)).length, name).toBeGreaterThan(4);
});

/** Values for calls that succeed. Operations without an entry are called with what nobody has, and must say so as described. */
const GOOD_CALLS: Record<string, { params?: Record<string, string>; query?: string; body?: unknown }> = {
  'get /api/device/things/{thing}': { params: { thing: 'lamp' } },
  'get /api/device/things/{thing}/file': { params: { thing: 'lamp' } },
  'put /api/device/things/{thing}/file': {
    params: { thing: 'lamp' },
    body: { yaml: 'driver: simulated\nproperties:\n  on: { datatype: boolean, settable: true }\n' },
  },
  'put /api/device/things/{thing}/enabled': { params: { thing: 'lamp' }, body: { enabled: true } },
  'post /api/device/things/{thing}/test': {
    params: { thing: 'new' },
    body: { yaml: 'driver: simulated\nproperties:\n  on: { datatype: boolean }\n' },
  },
  'put /api/media/radios/{id}': { params: { id: 'jazz' }, body: { name: 'Jazz', url: 'http://radio.example/jazz' } },
  'post /api/broker/actions/forget-retained': { body: { filter: 'nobody/#' } },
  'put /api/device/things/{thing}/{node}/{property}': { params: { thing: 'lamp', node: 'main', property: 'on' }, body: { value: true } },
  'post /api/broker/users': { body: { name: 'contract', password: 'contract-test', rules: [{ filter: 'a/#', access: 'both' }] } },
  'delete /api/broker/users/{name}': { params: { name: 'contract' } },
  'get /api/sse/stream': { query: 'topic=a/%23' },
  'post /api/sse/publish': { body: { topic: 'a/b', value: 1 } },
  'post /api/media/volume': { body: { volume: 10 } },
  'post /api/media/mute': { body: { muted: true } },
  'post /api/media/repeat': { body: { repeat: 'off' } },
  'post /api/server/tokens': { body: { name: 'contract', role: 'viewer', expiresInDays: 1 } },
  'post /api/server/users': { body: { name: 'contract', role: 'viewer', password: 'nine violet otters' } },
  'delete /api/server/users/{name}': { params: { name: 'contract' } },
  'get /api/server/machine': {},
  'get /api/server/doctor': {},
  'get /api/server/history/{thing}/{node}/{property}': { params: { thing: 'lamp', node: 'main', property: 'on' } },
  'post /api/server/services/{name}/restart': { params: { name: 'media' } },
  'put /api/server/password': { body: { old: 'wrong', new: 'nine violet otters' } },
  ...Object.fromEntries(SERVICES.map((name) => [`put /api/${name}/settings`, { body: {} }])),
};
const MUST_SUCCEED = new Set(Object.keys(GOOD_CALLS).filter((key) => key !== 'put /api/server/password' && !key.includes('history')));

async function call(key: string, token: boolean): Promise<Answer & { type: string }> {
  const [method = '', path = ''] = key.split(' ');
  const { params = {}, query, body } = GOOD_CALLS[key] ?? {};
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? 'nobody-has-this'));
  const stop = new AbortController();
  const response = await fetch(`${ledge.url}${target}${query ? `?${query}` : ''}`, {
    method: method.toUpperCase(),
    headers: {
      ...(token ? { authorization: `Bearer ${ledge.token}` } : {}),
      ...(method === 'get' ? {} : { 'content-type': 'application/json' }),
    },
    ...(method === 'get' || method === 'delete' ? {} : { body: JSON.stringify(body ?? {}) }),
    signal: stop.signal,
  });
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const text = type === 'text/event-stream' ? '' : await response.text();
  stop.abort();
  return { status: response.status, type, body: /json/.test(type) ? JSON.parse(text) : text };
}

test('every path answers as the document says', { timeout: 120_000 }, async () => {
  const wrong: string[] = [];
  let calls = 0;
  // what removes comes last, so that the others find what they ask for
  const keys = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  const order = ['get', 'put', 'post', 'delete'];
  keys.sort((a, b) => order.indexOf(a.split(' ')[0] ?? '') - order.indexOf(b.split(' ')[0] ?? ''));
  // a board would do it, and be gone
  const { can } = (await ledge.api<{ can: string[] }>('GET', '/api/server/machine')).body;
  const ends = can.length > 0 ? /\/logout|services\/\{name\}\/stop|machine\/(reboot|power-off)/ : /\/logout|services\/\{name\}\/stop/;
  // containers are their engine's to restart
  const isManaged = (await ledge.services()).some(({ controllable }) => controllable);
  const mustSucceed = (key: string) => MUST_SUCCEED.has(key) && (isManaged || !key.includes('/services/{name}/'));
  for (const key of keys.filter((k) => !ends.test(k))) {
    const [method = '', path = ''] = key.split(' ');
    const described = document.paths[path]?.[method];
    if (!described) continue;
    const { status, type, body } = await call(key, true);
    calls++;
    const response = described.responses[status] ?? described.responses.default;
    const schema = response?.content?.[type]?.schema;
    if (mustSucceed(key) && status >= 300) wrong.push(`${key}: ${status} ${JSON.stringify(body)}`);
    if (status >= 500 && !['bus-away', 'service-away', 'player-missing'].includes((body as { code?: string }).code ?? ''))
      wrong.push(`${key}: ${status} ${JSON.stringify(body)}`);
    if (status === 204 && described.responses['204']) continue;
    if (!schema) {
      wrong.push(`${key}: ${status} ${type} is not described`);
      continue;
    }
    if (!/json/.test(type)) continue;
    const check = validate(schema);
    if (!check(body)) wrong.push(`${key}: ${status} ${JSON.stringify(check.errors?.slice(0, 2))}`);
  }
  console.log(`${calls} operations answered`);
  expect(wrong).toEqual([]);
});

test('whatever is not public refuses who is not signed in', async () => {
  await until('the service that was restarted before', () => allWell(ledge));
  const open: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, described] of Object.entries(methods)) {
      if (described['x-audience'] === 'public') continue;
      const { status } = await call(`${method} ${path}`, false);
      if (status !== 401) open.push(`${method} ${path}: ${status}`);
    }
  }
  expect(open).toEqual([]);
});

test('every setting can be drawn as a form: title, type and default, and every action has a title', async () => {
  const lacking: string[] = [];
  for (const name of SERVICES) {
    const { body } = await ledge.api<{ values: object; schema: { properties: Record<string, Record<string, unknown>> } }>(
      'GET',
      `/api/${name}/settings`,
    );
    for (const [key, schema] of Object.entries(body.schema.properties)) {
      const what = ['title', 'type', 'default'].filter((word) => schema[word] === undefined);
      if (what.length > 0) lacking.push(`${name}.${key}: ${what.join(', ')}`);
      if (schema.writeOnly !== true && !(key in body.values)) lacking.push(`${name}.${key}: value`);
    }
    for (const action of (await ledge.api<{ name: string; title?: string }[]>('GET', `/api/${name}/actions`)).body) {
      if (!action.title) lacking.push(`${name}.${action.name}: title`);
    }
  }
  expect(lacking).toEqual([]);
});
