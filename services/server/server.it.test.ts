import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { runService } from '@ledge/kit';
import { Validator } from '@seriousme/openapi-schema-validator';
import pino from 'pino';
import { expect, test } from 'vitest';
import { cookieOf, eventually, PASSWORD, startBox } from './harness.ts';
import { serverService } from './server.ts';

test('the first visitor chooses the password, and the session survives a restart of the server', async () => {
  await using box = await startBox();
  expect((await box.ask('/api/server/health')).json).toMatchObject({ setupNeeded: true, edge: expect.stringMatching(/^ledge-/) });
  expect((await box.ask('/api/server/login', { method: 'POST', body: { name: 'admin', password: PASSWORD } })).json.code).toBe(
    'setup-needed',
  );
  const weak = await box.ask('/api/server/setup', { method: 'POST', body: { password: 'password12' } });
  expect(weak).toMatchObject({ status: 422, json: { code: 'weak-password' } });

  const done = await box.ask('/api/server/setup', { method: 'POST', body: { password: PASSWORD } });
  expect(done).toMatchObject({ status: 200, json: { user: 'admin', role: 'admin' } });
  expect(done.headers['set-cookie']).toEqual([expect.stringMatching(/^ledge=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)]);
  expect((await box.ask('/api/server/setup', { method: 'POST', body: { password: PASSWORD } })).json.code).toBe('setup-done');

  const cookie = cookieOf(done);
  await box.restart();
  expect((await box.ask('/api/server/session', { headers: { cookie } })).json).toMatchObject({ user: 'admin' });
  const out = await box.ask('/api/server/logout', { method: 'POST', headers: { cookie } });
  expect(out).toMatchObject({ status: 204, headers: { 'set-cookie': [expect.stringContaining('Max-Age=0')] } });
  expect((await box.ask('/api/server/session', { headers: { cookie } })).json.code).toBe('not-signed-in');
});

test('a box tells its name to everybody, so that the page can show it before sign-in', async () => {
  await using box = await startBox({ EDGE_NAME: 'Barn' });
  expect((await box.ask('/api/server/health')).json).toMatchObject({ edge: box.edge, name: 'Barn' });
});

test('EDGE_ADMIN_PASSWORD sets the box up without asking', async () => {
  await using box = await startBox({ EDGE_ADMIN_PASSWORD: PASSWORD });
  expect((await box.ask('/api/server/health')).json).toMatchObject({ setupNeeded: false });
  expect((await box.ask('/api/server/login', { method: 'POST', body: { name: 'Admin', password: PASSWORD } })).status).toBe(200);
});

test('a password left on the card replaces a lost one at the next start', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  mkdirSync(dirname(box.data.firstAdminFile), { recursive: true });
  writeFileSync(box.data.firstAdminFile, JSON.stringify({ password: 'harbour-Elk-31' }));
  await box.restart();
  expect((await box.ask('/api/server/session', { headers: { cookie } })).json.code).toBe('not-signed-in');
  const login = async (password: string) =>
    (await box.ask('/api/server/login', { method: 'POST', body: { name: 'admin', password } })).status;
  expect([await login(PASSWORD), await login('harbour-Elk-31')]).toEqual([401, 200]);
});

test('who guesses is locked out, the owner elsewhere is not', async () => {
  await using box = await startBox({ EDGE_ADMIN_PASSWORD: PASSWORD });
  const login = (password: string, from: string) =>
    box.ask('/api/server/login', { method: 'POST', body: { name: 'admin', password }, from });
  for (let i = 0; i < 5; i++) expect((await login(`wrong-${i}`, '127.0.0.66')).json.code).toBe('wrong-password');
  const locked = await login(PASSWORD, '127.0.0.66');
  expect(locked).toMatchObject({ status: 429, json: { code: 'too-many-tries' } });
  expect(Number(locked.headers['retry-after'])).toBeGreaterThan(0);
  expect((await login(PASSWORD, '127.0.0.5')).status).toBe(200);
});

test('a thousand tries at once cost neither memory nor anybody else', async () => {
  await using box = await startBox({ EDGE_ADMIN_PASSWORD: PASSWORD });
  const before = process.memoryUsage.rss();
  const tries = Array.from({ length: 1000 }, (_, i) =>
    box.ask('/api/server/login', { method: 'POST', body: { name: `name${i}`, password: 'wrong-Owl-11' }, from: '127.0.0.66' }),
  );
  const calmStarted = performance.now();
  expect((await box.ask('/api/server/health')).status).toBe(200);
  const calmMs = performance.now() - calmStarted;
  const owner = await box.ask('/api/server/login', { method: 'POST', body: { name: 'admin', password: PASSWORD }, from: '127.0.0.5' });
  const answers = await Promise.all(tries);
  expect(owner.status).toBe(200);
  expect(new Set(answers.map((a) => a.json.code))).toEqual(new Set(['wrong-password', 'too-many-tries']));
  expect(answers.filter((a) => a.status === 429).every((a) => Number(a.headers['retry-after']) > 0)).toBe(true);
  const grownMiB = (process.memoryUsage.rss() - before) / 2 ** 20;
  console.log(`1,000 tries: health in ${calmMs.toFixed(0)} ms, ${grownMiB.toFixed(0)} MiB more (client included)`);
  expect(grownMiB).toBeLessThan(250);
});

test('pages of other sites cannot change anything, tokens can', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  const body = { name: 'script', role: 'admin', expiresInDays: 1 };
  const evil = await box.ask('/api/server/tokens', { method: 'POST', headers: { cookie, origin: 'http://evil.example' }, body });
  expect(evil).toMatchObject({ status: 403, json: { code: 'cross-site' } });
  const fetched = await box.ask('/api/server/tokens', { method: 'POST', headers: { cookie, 'sec-fetch-site': 'same-site' }, body });
  expect(fetched.json.code).toBe('cross-site');
  const own = await box.ask('/api/server/tokens', { method: 'POST', headers: { cookie, origin: `http://127.0.0.1:${box.port}` }, body });
  expect(own.status).toBe(200);
  const authorization = `Bearer ${own.json.token}`;
  const byToken = await box.ask('/api/server/tokens', { method: 'POST', headers: { authorization, origin: 'http://evil.example' }, body });
  expect(byToken.status).toBe(200);
});

test('a viewer looks and does not change; unknown tokens are refused', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  const made = await box.ask('/api/server/tokens', {
    method: 'POST',
    headers: { cookie },
    body: { name: 'grafana', role: 'viewer', expiresInDays: 1 },
  });
  const authorization = `Bearer ${made.json.token}`;
  expect((await box.ask('/api/server/services', { headers: { authorization } })).status).toBe(200);
  expect((await box.ask('/api/server/session', { headers: { authorization } })).json).toMatchObject({
    user: 'token:grafana',
    role: 'viewer',
  });
  expect((await box.ask('/api/server/users', { headers: { authorization } })).json.code).toBe('not-allowed');
  expect((await box.ask('/api/server/users', { method: 'POST', headers: { authorization }, body: {} })).status).toBe(403);
  expect((await box.ask('/api/server/services', { headers: { authorization: 'Bearer ldg_none' } })).status).toBe(401);
  expect((await box.ask('/api/server/services', { headers: { 'x-ledge-user': 'root', 'x-ledge-role': 'admin' } })).status).toBe(401);
  const revoked = await box.ask(`/api/server/tokens/${made.json.id}`, { method: 'DELETE', headers: { cookie } });
  expect(revoked.status).toBe(204);
  expect((await box.ask('/api/server/services', { headers: { authorization } })).status).toBe(401);
});

test('a new password ends the other sessions and keeps this one', async () => {
  await using box = await startBox();
  const mine = await box.signIn();
  const other = cookieOf(await box.ask('/api/server/login', { method: 'POST', body: { name: 'admin', password: PASSWORD } }));
  const change = (old: string) =>
    box.ask('/api/server/password', { method: 'PUT', headers: { cookie: mine }, body: { old, new: 'blue-Cheese-42' } });
  expect((await change('wrong-Owl-11')).json.code).toBe('wrong-password');
  expect((await change(PASSWORD)).status).toBe(204);
  expect((await box.ask('/api/server/session', { headers: { cookie: mine } })).status).toBe(200);
  expect((await box.ask('/api/server/session', { headers: { cookie: other } })).status).toBe(401);
});

test('changes are written down: who, from where, what, and how it ended', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  await box.ask('/api/server/login', { method: 'POST', body: { name: 'admin', password: 'wrong-Owl-11' } });
  await box.ask('/api/server/users', {
    method: 'POST',
    headers: { cookie },
    body: { name: 'anna', role: 'viewer', password: 'blue-Cheese-42' },
  });
  await box.ask('/api/ghost/thing', { method: 'DELETE', headers: { cookie } });
  const { json, text } = await box.ask('/api/server/audit?limit=10', { headers: { cookie } });
  expect(json.items).toMatchObject([
    { user: 'admin', action: 'DELETE /api/ghost/thing', status: 404 },
    { user: 'admin', address: '127.0.0.1', action: 'POST /api/server/users', detail: 'anna as viewer, with a new password', status: 200 },
    { user: '-', action: 'POST /api/server/login', detail: 'tried admin', status: 401 },
    { user: 'admin', action: 'POST /api/server/setup', status: 200 },
  ]);
  expect(text).not.toContain('blue-Cheese-42');
});

test('what cannot be read is answered with a problem, and nothing falls over', async () => {
  await using box = await startBox();
  const post = (body: string, headers = {}) => box.ask('/api/server/login', { method: 'POST', body, headers });
  expect((await post('{"name":')).json.code).toBe('bad-request');
  expect((await post('{"name":5}')).json).toMatchObject({
    code: 'invalid-value',
    errors: expect.arrayContaining([{ field: 'name', message: expect.any(String) }]),
  });
  expect((await post('name=admin', { 'content-type': 'text/plain' })).json.code).toBe('unsupported-media-type');
  expect((await post(JSON.stringify({ name: 'a', password: 'x'.repeat(300_000) }))).json.code).toBe('payload-too-large');
  expect((await box.ask(`/api/device/${'x'.repeat(9000)}`)).json.code).toBe('bad-request');
  for (const path of ['/api', '/api/', '/api/nope/x', '/api/%73erver/health', '/api/../api/nope', '/api//server/health', '/api/.run/x']) {
    expect((await box.ask(path)).json.code, path).toBe('not-found');
  }
  expect((await box.ask('/api/server/nothing')).headers['content-type']).toMatch(/^application\/problem\+json/);
  expect((await box.ask('/api/server/health', { method: 'DELETE' })).json.code).toBe('method-not-allowed');

  const raw = async (text: string) =>
    await new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connect(box.port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (part: Buffer) => (answer += part.toString()));
      socket.once('error', reject);
      socket.once('close', () => resolve(answer));
    });
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400[\s\S]*"code":"bad-request"/);
  expect(await raw('GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  expect(await raw(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 400[\s\S]*headers are larger/);
  expect(await raw('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400/,
  );
  expect(await raw('GET /api/server/health HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  expect((await box.ask('/api/server/health')).status).toBe(200);
});

test('pages come with the headers that keep strangers out of them', async () => {
  await using box = await startBox();
  const webui = join(box.data.root, 'webui');
  mkdirSync(webui);
  writeFileSync(join(webui, 'index.html'), '<!doctype html><title>Ledge</title>');
  const page = await box.ask('/things');
  expect(page.text).toContain('<title>Ledge</title>');
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe-inline');
  expect(policy).not.toContain('upgrade-insecure-requests');
  expect(page.headers).toMatchObject({ 'referrer-policy': 'same-origin', 'x-content-type-options': 'nosniff' });
  expect(page.headers['permissions-policy']).toContain('camera=()');
  expect(page.headers).not.toHaveProperty('strict-transport-security');
  expect(page.headers).not.toHaveProperty('x-powered-by');
  expect((await box.ask('/api/server/health')).headers).toMatchObject({ 'cache-control': 'no-store' });
});

test('a port in use is named, with the way to another', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await using box = await startBox();
  const environment = { ...box.environment, EDGE_DATA: join(box.data.root, 'other'), EDGE_HTTP_PORT: String(port) };
  const started = runService(serverService({ environment }), { environment, log: pino({ level: 'silent' }) });
  await expect(started).rejects.toMatchObject({
    code: 'port-taken',
    message: expect.stringMatching(new RegExp(`${port}.*EDGE_HTTP_PORT`)),
  });
  await new Promise((resolve) => other.close(resolve));
});

test('the merged OpenAPI document of what runs is valid', async () => {
  await using box = await startBox();
  await box.serve('weather', (request, response) => {
    const documents: Record<string, object> = {
      '/openapi.json': {
        openapi: '3.1.0',
        info: { title: 'weather', version: '1.0.0' },
        paths: {
          '/now': {
            get: {
              responses: { 200: { description: 'now', content: { 'application/json': { schema: { $ref: '#/components/schemas/Now' } } } } },
            },
          },
        },
        components: { schemas: { Now: { type: 'number' } } },
      },
      '/health': { state: 'ready', version: '1.0.0', uptimeS: 1 },
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(documents[request.url ?? ''] ?? {}));
  });
  const { json } = await box.ask('/api/openapi.json');
  expect(Object.keys(json.paths as object)).toContain('/api/server/users/{name}');
  expect((await new Validator().validate(structuredClone(json))).errors).toBeUndefined();
});

test('metrics of all services need a viewer, and one that hangs costs the others nothing', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  await box.serve('device', (request, response) => {
    const trusted = request.headers['x-ledge-role'] === 'viewer' && request.headers['x-ledge-secret'] === undefined;
    response.end(trusted && request.url === '/metrics' ? '# TYPE readings counter\nreadings 5\n' : '');
  });
  await box.serve('media', () => {});
  expect((await box.ask('/metrics')).status).toBe(401);
  const { text, headers } = await box.ask('/metrics', { headers: { cookie } });
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toContain('readings{service="device"} 5');
  expect(text).toContain('ledge_service_up{service="media"} 0');
  expect(text).toContain('ledge_service_up{service="device"} 1');
  expect(text).toMatch(/process_resident_memory_bytes\{service="server"\} \d+/);
  expect(text).toContain('http_requests_total{service="server",method="POST",code="200"} 1');
  const opened = await box.ask('/api/server/settings', { method: 'PUT', headers: { cookie }, body: { publicMetrics: true } });
  expect(opened.status).toBe(200);
  expect((await box.ask('/metrics')).status).toBe(200);
});

test('requests are counted by service, method and outcome, and strangers cannot make the list grow', async () => {
  await using box = await startBox({ EDGE_SERVER_PUBLIC_METRICS: 'true' });
  await box.serve('device', (request, response) => {
    if (request.url === '/stream') response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('ok');
  });
  for (const path of ['/api/device/things', '/api/device/stream', '/api/ghost/1', '/api/phantom/2', '/api/']) await box.ask(path);
  await box.ask('/api/server/users', { method: 'POST', body: {} });
  let text = '';
  await eventually(async () => {
    text = (await box.ask('/metrics')).text;
    return text.includes('code="401"');
  });
  const counted = [...text.matchAll(/^http_requests_total\{(.*)\} (\d+)$/gm)].map(([, labels, count]) => `${labels} ${count}`);
  expect(counted).toEqual([
    'service="device",method="GET",code="200" 2',
    'service="unknown",method="GET",code="404" 3',
    'service="server",method="POST",code="401" 1',
  ]);
  // how long a stream lasts says nothing about how fast the service is
  expect(text).toContain('http_request_duration_seconds_count{service="device"} 1');
  expect(text).toContain('http_request_duration_seconds_bucket{le="10",service="device"} 1');
});
