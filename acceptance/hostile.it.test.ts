import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, allWell, SERVICES, startAppliance } from './appliance.ts';
import { MqttSocket } from './mqtt-socket.ts';

const FLOOD_MS = 30_000;
const CALM_WITHIN_MS = 100;
const FLAT_WITHIN_MB = 64;

let ledge: Appliance;
const user = { username: 'calm', password: 'calm-and-collected' };

beforeAll(async () => {
  ledge = await startAppliance();
  await ledge.addMqttUser(user.username, user.password, [
    { filter: 'flood/#', access: 'both' },
    { filter: 'calm/#', access: 'both' },
  ]);
});
afterAll(() => ledge?.stop());

const memoryMb = async (name: string) => ((await ledge.services()).find((service) => service.name === name)?.memoryBytes ?? 0) / 1048576;
const restarts = async () => Object.fromEntries((await ledge.services()).map((service) => [service.name, service.restarts]));
const percentile = (values: readonly number[], share: number) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

/** A seeded generator (mulberry32), so that a failing run can be run again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('100 clients flooding QoS 0 for 30 s: the broker lives within its memory, and a calm client is served in under 100 ms', {
  timeout: 90_000,
}, async () => {
  const before = await restarts();
  const broker = (await ledge.services()).find((service) => service.name === 'broker');
  const limitMb = (broker?.memoryLimitBytes ?? 0) / 1048576;
  expect(limitMb).toBeGreaterThan(0);
  const login = { port: ledge.mqttPort, ...user };
  const [speaker, listener] = await Promise.all([
    MqttSocket.open({ ...login, clientId: 'calm-speaker' }),
    MqttSocket.open({ ...login, clientId: 'calm-listener' }),
  ]);
  await listener.subscribe('calm/clock');
  const delaysMs: number[] = [];
  listener.onPublish((_topic, payload) => delaysMs.push(performance.now() - Number(payload.toString())));

  const flood = fork(join(import.meta.dirname, 'flood-generator.ts'), [
    String(ledge.mqttPort),
    user.username,
    user.password,
    String(FLOOD_MS),
  ]);
  await once(flood, 'message');
  const finished = once(flood, 'message') as Promise<[{ written: number; alive: number }]>;
  let sent = 0;
  let worstMb = 0;
  const ticking = setInterval(() => {
    sent++;
    void speaker.write(MqttSocket.publishBytes('calm/clock', String(performance.now())));
  }, 50);
  const measuring = setInterval(() => void memoryMb('broker').then((mb) => (worstMb = Math.max(worstMb, mb))), 1000);
  const [{ written, alive }] = await finished;
  clearInterval(ticking);
  clearInterval(measuring);
  await until('the last calm message', () => delaysMs.length >= sent);
  speaker.close();
  listener.close();
  console.log(
    `flood: ${Math.round(written / (FLOOD_MS / 1000))} messages/s taken from ${alive} clients; calm client p50 ${percentile(delaysMs, 0.5).toFixed(1)} ms, p99 ${percentile(delaysMs, 0.99).toFixed(1)} ms, worst ${Math.max(...delaysMs).toFixed(1)} ms; broker at most ${Math.round(worstMb)} MB of ${limitMb}`,
  );
  expect(await restarts()).toEqual(before);
  expect(worstMb).toBeLessThan(limitMb);
  expect(percentile(delaysMs, 0.99)).toBeLessThan(CALM_WITHIN_MS);
});

test('malformed MQTT packets are refused and nothing crashes', async () => {
  const before = await restarts();
  const random = seeded(20261122);
  const good = Buffer.concat([Buffer.from('101700044d51545404c2000a0002783100047573657200', 'hex')]);
  for (let round = 0; round < 300; round++) {
    const bytes =
      round % 3 === 0
        ? Buffer.from(good)
        : Buffer.from(Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
    if (round % 3 === 0) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const socket = connect(ledge.mqttPort, '127.0.0.1');
    socket.on('error', () => {}); // a reset is a refusal, too
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await once(socket, 'connect');
    socket.end(bytes);
    socket.resume();
    await closed;
  }
  expect(await restarts()).toEqual(before);
  expect(await allWell(ledge)).toBe(true);
});

test('malformed JSON, topics, headers and bodies over the limit get a clear refusal', async () => {
  const before = await restarts();
  const headers = { authorization: `Bearer ${ledge.token}`, 'content-type': 'application/json' };
  const ask = async (path: string, body: string, extra: Record<string, string> = {}) => {
    const response = await fetch(ledge.url + path, { method: 'POST', headers: { ...headers, ...extra }, body });
    return { status: response.status, code: ((await response.json()) as { code: string }).code };
  };
  expect(await ask('/api/sse/publish', '{"topic":')).toEqual({ status: 400, code: 'bad-request' });
  expect(await ask('/api/sse/publish', '{"topic":"a/#","value":1}')).toEqual({ status: 400, code: 'invalid-value' });
  expect(await ask('/api/sse/publish', JSON.stringify({ topic: 'x/'.repeat(2000), value: 1 }))).toEqual({
    status: 400,
    code: 'invalid-value',
  });
  expect(await ask('/api/sse/publish', JSON.stringify({ topic: 'a', value: 'x'.repeat(3_000_000) }))).toEqual({
    status: 413,
    code: 'payload-too-large',
  });
  expect(await ask('/api/sse/publish', 'topic=a', { 'content-type': 'application/x-www-form-urlencoded' })).toEqual({
    status: 415,
    code: 'unsupported-media-type',
  });
  expect(await ask('/api/broker/users', '{"name":"../../etc","password":"12345678"}')).toEqual({ status: 400, code: 'invalid-value' });
  expect(await ask('/api/nobody/here', '{}')).toEqual({ status: 404, code: 'not-found' });
  const traversal = await fetch(`${ledge.url}/..%2f..%2f..%2fetc%2fpasswd`);
  expect(await traversal.text()).not.toContain('root:');
  for (const raw of [
    'GET / HTTP/1.1\r\nHost: x\r\nBad Header\x00: y\r\n\r\n',
    'G@RBAGE\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = connect(Number(new URL(ledge.url).port), '127.0.0.1');
    const answer: Buffer[] = [];
    socket.on('data', (part) => answer.push(part));
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(raw);
    await once(socket, 'close');
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 4\d\d/);
  }
  expect(await restarts()).toEqual(before);
});

test('1,000 sign-in tries are slowed and refused, memory stays flat, and the right password works again', {
  timeout: 120_000,
}, async () => {
  const beforeMb = await memoryMb('server');
  const statuses = new Map<number, number>();
  const tries = Array.from({ length: 1000 }, (_, i) => i);
  const worker = async () => {
    for (let next = tries.pop(); next !== undefined; next = tries.pop()) {
      const { status } = await ledge.api('POST', '/api/server/login', {
        name: next % 2 ? 'admin' : `user${next}`,
        password: `guess number ${next}`,
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  console.log(`1,000 sign-in tries: ${JSON.stringify(Object.fromEntries(statuses))}`);
  expect([...statuses.keys()].sort()).toEqual([401, 429]);
  expect(statuses.get(429)).toBeGreaterThan(500);
  const afterMb = await until('a fresh figure', async () => await memoryMb('server'));
  expect(afterMb - beforeMb).toBeLessThan(FLAT_WITHIN_MB);
  expect((await ledge.api('GET', '/api/server/session')).status).toBe(200);
  for (const name of SERVICES) expect((await ledge.services()).find((service) => service.name === name)?.state, name).toBe('ready');
});
