import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningService, runService } from '@ledge/kit';
import mqtt, { type MqttClient } from 'mqtt';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sse } from './sse.ts';
import { type Event, readEvents } from './test-sink.ts';

const directory = mkdtempSync(join(tmpdir(), 'ledge-sse-'));
const admin = { 'x-ledge-user': 'ann', 'x-ledge-role': 'admin' };
const viewer = { 'x-ledge-user': 'vic', 'x-ledge-role': 'viewer' };
let port = 0;
let broker: ChildProcess;
let service: RunningService;
let publisher: MqttClient;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** A mosquitto without memory that accepts connections when this resolves. */
async function startBroker(): Promise<void> {
  const config = join(directory, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  broker = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const up = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (up) return;
  }
}

async function stopBroker(): Promise<void> {
  const gone = once(broker, 'exit');
  broker.kill('SIGTERM');
  await gone;
}

const socketPath = () => service.address.replace(/^unix:/, '');

interface Stream {
  headers: Record<string, unknown>;
  events: Event[];
  request: ClientRequest;
  pause(): void;
  resume(): void;
  /** Resolves with the first event, past or to come, for which `wanted` holds. */
  until(wanted: (event: Event) => boolean): Promise<Event>;
}

async function openStream(query: string, headers: Record<string, string> = admin): Promise<Stream> {
  const asked = request({ socketPath: socketPath(), path: `/stream?${query}`, headers });
  asked.end();
  const [response] = await once(asked, 'response');
  asked.on('error', () => {});
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  const events: Event[] = [];
  const waiters = new Set<() => void>();
  let rest = '';
  response.setEncoding('utf8');
  response.on('error', () => {});
  response.on('data', (text: string) => {
    rest += text;
    const end = rest.lastIndexOf('\n\n');
    if (end < 0) return;
    events.push(...readEvents(rest.slice(0, end)));
    rest = rest.slice(end + 2);
    for (const waiter of waiters) waiter();
  });
  return {
    headers: response.headers,
    events,
    request: asked,
    pause: () => response.pause(),
    resume: () => response.resume(),
    until: (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          const found = events.find(wanted);
          if (found) resolve(found);
        };
        waiters.add(look);
        look();
      }),
  };
}

async function post(body: unknown, headers: Record<string, string> = admin): Promise<{ status: number; body: Record<string, unknown> }> {
  const asked = request({
    socketPath: socketPath(),
    method: 'POST',
    path: '/publish',
    headers: { ...headers, 'content-type': 'application/json' },
  });
  asked.end(JSON.stringify(body));
  const [response] = await once(asked, 'response');
  const chunks = await response.toArray();
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

async function metric(name: string): Promise<number> {
  const asked = request({ socketPath: socketPath(), path: '/metrics', headers: admin });
  asked.end();
  const [response] = await once(asked, 'response');
  const text = Buffer.concat(await response.toArray()).toString();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
}

const isMessage = (topic: string, payload: string) => (event: Event) => event.data.topic === topic && event.data.payload === payload;
const isLive = (event: Event) => event.event === 'live';

beforeAll(async () => {
  port = await freePort();
  await startBroker();
  publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 50 });
  publisher.on('error', () => {});
  service = await runService(sse, {
    environment: { EDGE_DATA: directory, EDGE_ID: 'ledge-test', EDGE_MQTT_URL: `mqtt://127.0.0.1:${port}` },
    log: pino({ level: 'silent' }),
  });
});

afterAll(async () => {
  await service.stop();
  await publisher.endAsync(true);
  await stopBroker();
  rmSync(directory, { recursive: true, force: true });
});

test('a real broker: retained values first, then live, also for a reader who comes later', async () => {
  await publisher.publishAsync('a/x', 'kept', { retain: true, qos: 1 });
  for (let round = 0; round < 2; round++) {
    const stream = await openStream('topic=a/%23');
    await stream.until(isLive);
    expect(stream.events.map((e) => e.event)).toEqual(['bus', 'message', 'live']);
    expect(stream.events[1]?.data).toEqual({ topic: 'a/x', payload: 'kept', retained: true });
    await publisher.publishAsync('a/y', `live ${round}`);
    await stream.until(isMessage('a/y', `live ${round}`));
    stream.request.destroy();
  }
});

test('no proxy may hold the stream back', async () => {
  const stream = await openStream('topic=a/%23');
  expect(stream.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  stream.request.destroy();
});

test('several filters in one stream, and what was missed by Last-Event-ID', async () => {
  const first = await openStream('topic=a/%23&topic=b/%2B');
  await Promise.all(['a/#', 'b/+'].map((topic) => first.until((e) => isLive(e) && e.data.topic === topic)));
  const id = first.events.findLast((e) => e.id !== undefined)?.id ?? '';
  first.request.destroy();
  await publisher.publishAsync('b/1', 'missed', { qos: 1 });
  await expect.poll(() => metric('ledge_sse_readers')).toBe(0);
  const again = await openStream('topic=a/%23&topic=b/%2B', { ...admin, 'last-event-id': id });
  await again.until(isLive);
  expect(again.events.filter((e) => e.event === 'message').map((e) => e.data.payload)).toEqual(['missed']);
  again.request.destroy();
});

test('what is published by POST comes out of the stream and of MQTT as it was said', async () => {
  const stream = await openStream('topic=p/%23');
  await stream.until(isLive);
  expect(await post({ topic: 'p/text', value: 'é\n😀' })).toEqual({ status: 200, body: { topic: 'p/text' } });
  await post({ topic: 'p/json', value: { on: true } });
  await post({ topic: 'p/number', value: 21.5, retain: true, qos: 2 });
  await stream.until(isMessage('p/text', 'é\n😀'));
  await stream.until(isMessage('p/json', '{"on":true}'));
  await stream.until(isMessage('p/number', '21.5'));
  stream.request.destroy();
});

test('a viewer reads the box, nothing else, and publishes nothing', async () => {
  await expect(openStream('topic=a/%23', viewer)).rejects.toThrow('status 403');
  const stream = await openStream('topic=ledge-test/%23', viewer);
  stream.request.destroy();
  expect(await post({ topic: 'ledge-test/5/lamp/main/on/set', value: 'true' }, viewer)).toMatchObject({
    status: 403,
    body: { code: 'not-allowed' },
  });
});

test('what cannot be meant is refused with the field named', async () => {
  await expect(openStream('topic=a/%23/b')).rejects.toThrow('status 400');
  await expect(openStream('')).rejects.toThrow('status 400');
  expect(await post({ topic: 'a/+', value: 1 })).toMatchObject({ status: 400, body: { code: 'invalid-value' } });
  expect(await post({ topic: 'a/b' })).toMatchObject({ status: 400, body: { code: 'invalid-value' } });
});

test('a client that goes away leaves nothing behind', async () => {
  const streams = await Promise.all(Array.from({ length: 20 }, () => openStream('topic=a/%23')));
  expect(await metric('ledge_sse_readers')).toBeGreaterThanOrEqual(20);
  for (const stream of streams) stream.request.destroy();
  await expect.poll(() => metric('ledge_sse_readers')).toBe(0);
});

test('over a broker that restarts without memory the stream stays, tells it, and has the new retained values', async () => {
  const stream = await openStream('topic=r/%23');
  await stream.until(isLive);
  await stopBroker();
  await stream.until((e) => e.event === 'bus' && e.data.connected === false);
  expect(await post({ topic: 'r/x', value: 'lost' })).toMatchObject({ status: 503, body: { code: 'bus-away' } });
  const reconnected = new Promise<void>((resolve) => publisher.once('connect', () => resolve()));
  await startBroker();
  await reconnected;
  await publisher.publishAsync('r/x', 'new', { retain: true, qos: 1 });
  await stream.until((e) => e.data.topic === 'r/x' && e.data.payload === 'new');
  await expect.poll(() => stream.events.filter((e) => e.event === 'bus').map((e) => e.data.connected)).toEqual([true, false, true]);
  const late = await openStream('topic=r/%23');
  await late.until(isLive);
  expect(late.events.find((e) => e.event === 'message')?.data).toEqual({ topic: 'r/x', payload: 'new', retained: true });
  for (const one of [stream, late]) one.request.destroy();
});

test('a client that stops reading is bounded in memory, and others go on', async () => {
  const frozen = await openStream('topic=f/%23');
  const other = await openStream('topic=f/%23');
  await Promise.all([frozen.until(isLive), other.until(isLive)]);
  frozen.pause();
  const payload = 'z'.repeat(50_000);
  for (let i = 0; i < 200; i++) await publisher.publishAsync('f/x', `${i} ${payload}`, { qos: 1 });
  await other.until(isMessage('f/x', `199 ${payload}`));
  expect(await metric('ledge_sse_queued_bytes')).toBeLessThanOrEqual(2 * 1024 * 1024);
  frozen.resume();
  const dropped = await frozen.until((e) => e.event === 'dropped');
  await frozen.until(isMessage('f/x', `199 ${payload}`));
  const got = frozen.events.filter((e) => e.event === 'message').length;
  expect(got + Number(dropped.data.count)).toBe(200);
  for (const one of [frozen, other]) one.request.destroy();
});
