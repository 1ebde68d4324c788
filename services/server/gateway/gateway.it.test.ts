import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { DataDir, ensureSecret } from '@ledge/kit';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { cookieOf, startBox } from '../harness.ts';

const MIB = 2 ** 20;
/** V8 lets 64 MiB of buffers pile up before it collects them; measured 73 MiB for 100 MiB, 95 for 200 and 94 for 600. */
const MAX_GROWTH_MIB = 130;

/** GETs a stream and gives its parts as they come. */
async function openStream(port: number, path: string, headers = {}): Promise<{ call: ClientRequest; answer: IncomingMessage }> {
  const call = request({ host: '127.0.0.1', port, path, headers, agent: false });
  call.on('error', () => {}); // ended by the test
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  return { call, answer };
}

test('a service sees who asks from the gateway only, and never the proof', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  await box.serve('device', (incoming, response) => {
    response.setHeader('set-cookie', 'ledge=theirs').setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: incoming.url, method: incoming.method, headers: incoming.headers }));
  });
  const claims = { 'x-ledge-user': 'root', 'x-ledge-role': 'admin', 'X-Ledge-Session': 'x', connection: 'x-ledge-role, close' };
  const stranger = await box.ask('/api/device/things?x=1', { headers: claims });
  expect(stranger.json).toMatchObject({ url: '/things?x=1', method: 'GET' });
  const claimed = Object.keys(stranger.json.headers as object).filter((name) => name.startsWith('x-ledge-'));
  expect(claimed).toEqual([]);

  const admin = await box.ask('/api/device?y=2', { method: 'POST', headers: { ...claims, cookie }, body: {} });
  expect(admin.json).toMatchObject({ url: '/?y=2', headers: { 'x-ledge-user': 'admin', 'x-ledge-role': 'admin' } });
  expect(admin.json.headers).not.toHaveProperty('cookie');
  expect(admin.headers).not.toHaveProperty('set-cookie');
  expect(admin.headers['content-security-policy']).toContain("default-src 'none'");
});

test('the first event of a stream comes at once, and the service learns that the reader left', async () => {
  await using box = await startBox();
  let left: Promise<unknown> | undefined;
  await box.serve('sse', (_incoming, response) => {
    left = once(response, 'close');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    setTimeout(() => response.write('data: first\n\n'), 1);
  });
  const { call, answer } = await openStream(box.port, '/api/sse/stream');
  expect(answer.headers['content-type']).toBe('text/event-stream');
  const [part] = (await once(answer, 'data')) as [Buffer];
  expect(part.toString()).toBe('data: first\n\n');
  call.destroy();
  await left;
});

/** A box with a stream that never ends by itself, as the service behind sees it. */
async function streamingBox() {
  const box = await startBox();
  await box.serve('sse', (_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
  });
  const admin = { cookie: await box.signIn() };
  const post = (path: string, body: object, headers: Record<string, string> = admin) =>
    box.ask(`/api/server/${path}`, { method: 'POST', headers, body });
  const signIn = async (name: string, password: string) => ({ cookie: cookieOf(await post('login', { name, password }, {})) });
  const newToken = async () => {
    const { json } = await post('tokens', { name: 'script', role: 'viewer', expiresInDays: 1 });
    return { id: String(json.id), headers: { authorization: `Bearer ${json.token}` } };
  };
  /** Opens a stream; `ended` when it is over, `open` as long as it is not. */
  const stream = async (headers: Record<string, string>, path = '/api/sse/stream') => {
    const { call, answer } = await openStream(box.port, path, headers);
    expect(answer.statusCode).toBe(200);
    answer.on('error', () => {}).resume(); // it may break off
    const ended = new Promise<void>((resolve) => answer.once('close', resolve));
    return { ended, open: () => !answer.destroyed, leave: () => call.destroy() };
  };
  return { box, admin, post, signIn, newToken, stream };
}

test('a stream ends with the session that opened it: sign-out, ended from elsewhere, another password, another role, a person removed', async () => {
  const { box, admin, post, signIn, stream } = await streamingBox();
  await using _ = box;
  const password = 'blue-Cheese-42';
  const mine = await stream(admin);
  await post('users', { name: 'anna', role: 'viewer', password });

  const left = await signIn('anna', password);
  const streams = [await stream(left), await stream(left)];
  expect(await post('logout', {}, left)).toMatchObject({ status: 204 });
  for (const { ended } of streams) await ended;

  const [phone, tablet] = [await signIn('anna', password), await signIn('anna', password)];
  const [onPhone, onTablet] = [await stream(phone), await stream(tablet)];
  const change = { method: 'PUT', headers: phone, body: { old: password, new: 'green-Cheese-43' } };
  expect((await box.ask('/api/server/password', change)).status).toBe(204);
  await onTablet.ended;
  expect(onPhone.open()).toBe(true);

  const third = await signIn('anna', 'green-Cheese-43');
  const onThird = await stream(third);
  const sessions = (await box.ask('/api/server/sessions', { headers: third })).json as unknown as { id: string; current: boolean }[];
  const { id } = sessions.find(({ current }) => current) ?? {};
  await box.ask(`/api/server/sessions/${id}`, { method: 'DELETE', headers: phone });
  await onThird.ended;
  expect(onPhone.open()).toBe(true);

  await post('users', { name: 'anna', role: 'admin' });
  await onPhone.ended;
  const again = await stream(phone);
  await box.ask('/api/server/users/anna', { method: 'DELETE', headers: admin });
  await again.ended;
  expect((await box.ask('/api/server/session', { headers: phone })).status).toBe(401);
  expect(mine.open()).toBe(true);
  mine.leave();
});

test('a stream ends with the token that opened it, and a WebSocket too: revoked or expired', async () => {
  const { box, admin, newToken, stream } = await streamingBox();
  await using _ = box;
  const backend = await box.serve('chat', (_incoming, response) => void response.end('{}'));
  const sockets = new WebSocketServer({ server: backend });
  const revoked = await newToken();
  const socket = new WebSocket(`ws://127.0.0.1:${box.port}/api/chat/live`, { headers: revoked.headers });
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const stranger = await stream({});
  const revokedStream = await stream(revoked.headers);
  await box.ask(`/api/server/tokens/${revoked.id}`, { method: 'DELETE', headers: admin });
  await Promise.all([revokedStream.ended, closed]);

  const expiring = await newToken();
  const db = new DatabaseSync(join(box.data.root, 'server/settings.db'));
  db.prepare('UPDATE tokens SET expires = ? WHERE id = ?').run(Date.now() + 1000, expiring.id);
  db.close();
  await (await stream(expiring.headers)).ended;
  expect(stranger.open()).toBe(true);
  stranger.leave();
  sockets.close();
});

test('headers of a silent stream come before its first event', async () => {
  await using box = await startBox();
  await box.serve('sse', (_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
  });
  const { call, answer } = await openStream(box.port, '/api/sse/stream');
  expect(answer.statusCode).toBe(200);
  call.destroy();
});

test('300 open streams of a service do not keep others from it', async () => {
  await using box = await startBox();
  await box.serve('sse', (incoming, response) => {
    if (incoming.url === '/health') response.end('{}');
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
  });
  const streams = await Promise.all(Array.from({ length: 300 }, () => openStream(box.port, '/api/sse/stream')));
  expect((await box.ask('/api/sse/health')).status).toBe(200);
  for (const { call } of streams) call.destroy();
});

test('a service that is away is told with a time to try again, and an unknown one is not found', async () => {
  await using box = await startBox();
  const away = await box.ask('/api/device/things');
  expect(away).toMatchObject({ status: 502, headers: { 'retry-after': '2' }, json: { code: 'service-away' } });
  expect((await box.ask('/api/ghost/things')).json.code).toBe('not-found');
  const dying = await box.serve('media', (incoming) => void incoming.socket.destroy());
  expect(await box.ask('/api/media/')).toMatchObject({ status: 502, headers: { 'retry-after': '2' }, json: { code: 'service-away' } });
  await new Promise((resolve) => dying.close(resolve));
});

test('no way leads to the socket of the supervisor, which obeys whoever reaches it', async () => {
  await using box = await startBox();
  let reached = false;
  await box.serve('supervisor', ({ url }, response) => {
    if (url !== '/services') reached = true; // the server itself asks for that
    response.end('[]');
  });
  const cookie = await box.signIn();
  for (const headers of [{}, { cookie }]) {
    expect((await box.ask('/api/supervisor/logs', { headers })).json.code).toBe('not-found');
    expect((await box.ask('/api/supervisor/services/media/stop', { method: 'POST', headers })).status).toBe(404);
  }
  expect(reached).toBe(false);
});

test('an answer that breaks off in the middle breaks off for the client too', async () => {
  await using box = await startBox();
  await box.serve('media', (_incoming, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('half');
    setTimeout(() => response.destroy(), 5);
  });
  await expect(box.ask('/api/media/')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  expect((await box.ask('/api/server/health')).status).toBe(200);
});

test('an upload that is refused early is answered, and one that is cut short reaches the service as cut', async () => {
  await using box = await startBox();
  const aborted = Promise.withResolvers<void>();
  await box.serve('media', (incoming, response) => {
    if (incoming.url === '/refuse') {
      response.writeHead(413).end('too large');
      return;
    }
    incoming.resume();
    incoming.once('error', () => aborted.resolve());
    incoming.once('aborted', () => aborted.resolve());
  });
  const refused = await box.ask('/api/media/refuse', { method: 'PUT', body: 'x'.repeat(100_000) });
  expect(refused.status).toBe(413);

  const socket = connect(box.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('PUT /api/media/keep HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf');
  setTimeout(() => socket.destroy(), 50);
  await aborted.promise;
});

test('WebSockets pass with the identity of who opened them, and not from other sites', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  const backend = await box.serve('chat', (_incoming, response) => void response.end('{}'));
  const sockets = new WebSocketServer({ server: backend });
  sockets.on('connection', (socket, incoming) => {
    socket.send(JSON.stringify(incoming.headers));
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  const client = new WebSocket(`ws://127.0.0.1:${box.port}/api/chat/live`, { headers: { cookie, 'x-ledge-role': 'viewer' } });
  const [first] = (await once(client, 'message')) as [Buffer];
  const headers = JSON.parse(first.toString()) as Record<string, string>;
  expect(headers).toMatchObject({ 'x-ledge-user': 'admin', 'x-ledge-role': 'admin' });
  expect(headers).not.toHaveProperty('cookie');
  client.send('hello');
  expect(String(((await once(client, 'message')) as [Buffer])[0])).toBe('echo hello');
  client.close();
  await once(client, 'close');

  const refusal = async (path: string, origin?: string) => {
    const other = new WebSocket(`ws://127.0.0.1:${box.port}${path}`, { headers: { cookie }, ...(origin ? { origin } : {}) });
    other.on('error', () => {});
    const [, answer] = (await once(other, 'unexpected-response')) as [ClientRequest, IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  expect(await refusal('/api/chat/live', 'http://evil.example')).toBe(403);
  expect(await refusal('/api/ghost/live')).toBe(404);
  expect(await refusal('/api/device/live')).toBe(502);
  expect(await refusal('/live')).toBe(404);
  sockets.close();
});

test('an offer of HTTP/2 that nobody asked for is a plain request', async () => {
  await using box = await startBox();
  const answer = await box.ask('/api/server/health', {
    headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQ' },
  });
  expect(answer.status).toBe(200);
});

/** The server in a process of its own, so that its memory can be seen. */
async function startProcess(): Promise<{ port: number; child: ChildProcess; data: DataDir }> {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-'));
  const env = { ...process.env, EDGE_DATA: dir, EDGE_HTTP_PORT: '0', EDGE_MQTT_URL: 'mqtt://127.0.0.1:1', EDGE_LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { port } = JSON.parse(line) as { port?: number };
    if (port === undefined) continue;
    child.stdout.resume();
    return { port, child, data: new DataDir(dir) };
  }
  throw new Error('the server ended before it opened its port');
}

const residentMiB = (child: ChildProcess, what: 'VmRSS' | 'VmHWM') =>
  Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

test.runIf(process.platform === 'linux')('200 MiB go up and come down without being held in memory', async () => {
  const { port, child, data } = await startProcess();
  const total = 200 * MIB;
  const block = Buffer.alloc(MIB, 'x');
  let received = 0;
  const backend: Server = createServer((incoming, response) => {
    if (incoming.method === 'GET') {
      response.writeHead(200, { 'content-length': total });
      let sent = 0;
      const send = () => {
        while (sent < total) {
          sent += block.length;
          if (!response.write(block)) return;
        }
        response.end();
      };
      response.on('drain', send);
      send();
      return;
    }
    incoming.on('data', (part: Buffer) => (received += part.length));
    incoming.once('end', () => response.end('taken'));
  });
  mkdirSync(dirname(data.socketPath('media')), { recursive: true, mode: 0o700 });
  await new Promise<void>((resolve) => backend.listen(data.socketPath('media'), resolve));
  onTestFinished(() => void backend.close());
  const before = residentMiB(child, 'VmRSS');

  const call = request({ host: '127.0.0.1', port, path: '/api/media/library/big.mp3', method: 'PUT', agent: false });
  const answered = once(call, 'response');
  const started = performance.now();
  for (let sent = 0; sent < total; sent += block.length) if (!call.write(block)) await once(call, 'drain');
  call.end();
  const [answer] = (await answered) as [IncomingMessage];
  answer.resume();
  const upS = (performance.now() - started) / 1000;
  expect(received).toBe(total);

  const { answer: down } = await openStream(port, '/api/media/library/big.mp3');
  let taken = 0;
  for await (const part of down) taken += (part as Buffer).length;
  expect(taken).toBe(total);
  const grown = residentMiB(child, 'VmHWM') - before;
  console.log(`200 MiB up in ${upS.toFixed(1)} s; at most ${grown.toFixed(0)} MiB above ${before.toFixed(0)} MiB`);
  expect(grown).toBeLessThan(MAX_GROWTH_MIB);
});

test('a port on the network is reached by its record, with the secret', async () => {
  await using box = await startBox();
  const remote = createServer((incoming, response) => response.end(String(incoming.headers['x-ledge-secret'])));
  await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void remote.close());
  const { port } = remote.address() as AddressInfo;
  await box.announce('weather', `http://127.0.0.1:${port}`);
  expect((await box.ask('/api/weather/now')).text).toBe(ensureSecret(box.data.gatewaySecretFile));
});
