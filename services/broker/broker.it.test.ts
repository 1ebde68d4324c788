import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DataDir } from '@ledge/kit';
import { connect, connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { freePort, receive, scratch } from './test-support.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Service extends AsyncDisposable {
  port: number;
  log: Record<string, unknown>[];
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: string }>;
  kill(): Promise<void>;
}

/** The real service in a process of its own. */
async function service(dir: string, environment: Record<string, string> = {}): Promise<Service> {
  const port = await freePort();
  mkdirSync(join(dir, 'secrets', 'mqtt'), { recursive: true });
  for (const name of ['broker', 'device']) writeFileSync(join(dir, 'secrets', 'mqtt', name), `secret of ${name}\n`);
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, EDGE_DATA: dir, EDGE_ID: 'ledge-test', EDGE_MQTT_PORT: String(port), EDGE_LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const log: Record<string, unknown>[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry.msg === 'service ready') resolve();
    });
    child.once('exit', (code) => reject(new Error(`the broker ended with ${code}: ${JSON.stringify(log)}`)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    port,
    log,
    call: (method, path, body) => callApi(new DataDir(dir).socketPath('broker'), method, path, body),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  };
}

function callApi(socketPath: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-ledge-user': 'anna', 'x-ledge-role': 'admin', 'content-type': 'application/json' };
    const call = request({ socketPath, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

interface Outcome {
  code: number | null;
  out: string;
  err: string;
}
type Mosquitto = ChildProcessByStdio<null, Readable, Readable>;

function mosquitto(
  tool: 'mosquitto_pub' | 'mosquitto_sub',
  port: number,
  ...options: string[]
): { child: Mosquitto; outcome: Promise<Outcome> } {
  const child = spawn(tool, ['-h', '127.0.0.1', '-p', String(port), ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const outcome = new Promise<Outcome>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
  return { child, outcome };
}

const GARDENER = { name: 'gardener', password: 'green tomatoes', rules: [{ filter: 'garden/#', access: 'both' }] };
const AS_GARDENER = ['-u', 'gardener', '-P', 'green tomatoes'];

test('a user that is made through the API comes in and receives; nobody else does; outside its rules it is refused', async () => {
  using dir = scratch();
  await using broker = await service(dir.path);
  expect(await broker.call('POST', '/users', GARDENER)).toMatchObject({ status: 200 });
  expect((await broker.call('GET', '/users')).body).toBe(JSON.stringify([{ name: 'gardener', rules: GARDENER.rules }]));

  const published = await mosquitto('mosquitto_pub', broker.port, ...AS_GARDENER, '-t', 'garden/gate', '-m', 'open', '-r', '-q', '1')
    .outcome;
  expect(published).toMatchObject({ code: 0 });
  const received = mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', 'garden/#', '-C', '1', '-v');
  expect(await received.outcome).toMatchObject({ code: 0, out: 'garden/gate open\n' });

  const anonymous = await mosquitto('mosquitto_sub', broker.port, '-t', 'garden/#').outcome;
  expect(anonymous).toMatchObject({ code: 5, err: expect.stringContaining('not authorised') });
  const wrong = await mosquitto('mosquitto_sub', broker.port, '-u', 'gardener', '-P', 'red tomatoes', '-t', 'garden/#').outcome;
  expect(wrong).toMatchObject({ code: 4 });
  const outside = await mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', 'house/#').outcome;
  expect(outside).toMatchObject({ err: expect.stringContaining('denied') });
});

test('when a user is removed, or its password changes, its clients are disconnected', async () => {
  using dir = scratch();
  await using broker = await service(dir.path);
  await broker.call('POST', '/users', GARDENER);
  for (const end of [
    () => broker.call('POST', '/users', { name: 'gardener', password: 'another one' }),
    () => broker.call('DELETE', '/users/gardener'),
  ]) {
    const client = await connectAsync({
      port: broker.port,
      host: '127.0.0.1',
      clientId: 'shears',
      username: 'gardener',
      password: broker.log.some(({ passwordChanged }) => passwordChanged === true) ? 'green tomatoes' : '',
      reconnectPeriod: 0,
    });
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    expect((await end()).status).toBeLessThan(300);
    await gone;
    await broker.call('POST', '/users', GARDENER);
  }
  const list = JSON.parse((await broker.call('GET', '/clients')).body) as { client: string; lastLeft?: { reason: string } }[];
  expect(list.find(({ client }) => client === 'shears')?.lastLeft?.reason).toBe('its user was removed');
});

test.each(['a/b c', '50%2Fx', 'Küche ☃', '?#&', "o'clock"])(
  'a client whose id is %j is listed and can be disconnected',
  async (clientId) => {
    using dir = scratch();
    await using broker = await service(dir.path);
    await broker.call('POST', '/users', GARDENER);
    const login = { username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
    const client = await connectAsync({ port: broker.port, host: '127.0.0.1', clientId, ...login });
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    expect(JSON.parse((await broker.call('GET', '/clients')).body)).toContainEqual(expect.objectContaining({ client: clientId }));
    expect((await broker.call('DELETE', `/clients/${encodeURIComponent(clientId)}`)).status).toBe(204);
    await gone;
    expect((await broker.call('DELETE', `/clients/${encodeURIComponent(clientId)}`)).status).toBe(404);
  },
);

test('retained messages of devices that are gone are forgotten when that is asked for, never those of this box', async () => {
  using dir = scratch();
  await using broker = await service(dir.path);
  await broker.call('POST', '/users', GARDENER);
  const login = { username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
  const client = await connectAsync({ port: broker.port, host: '127.0.0.1', ...login });
  const publish = (topic: string) => client.publishAsync(topic, 'x', { retain: true, qos: 1 });
  await Promise.all(['garden/old/a', 'garden/old/b', 'garden/new'].map(publish));
  const forget = (filter: string) => broker.call('POST', '/actions/forget-retained', { filter });
  expect(await forget('garden/old/#')).toMatchObject({ status: 200, body: '{"result":"2 retained messages were forgotten"}' });
  expect((await forget('garden/#')).body).toContain('1 retained');
  for (const own of ['#', 'ledge-test/5/x/$state', '+/service/#']) expect(await forget(own)).toMatchObject({ status: 400 });
  expect((await forget('a/#/b')).body).toContain('invalid-value');
  expect(JSON.parse((await broker.call('GET', '/actions')).body)).toMatchObject([
    { name: 'forget-retained', input: { required: ['filter'] } },
  ]);
  await client.endAsync();
});

test('retained messages and sessions are there after kill -9', async () => {
  using dir = scratch();
  {
    await using broker = await service(dir.path);
    await broker.call('POST', '/users', GARDENER);
    const login = { port: broker.port, host: '127.0.0.1', username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
    const keeper = await connectAsync({ ...login, clientId: 'keeper', clean: false });
    await keeper.subscribeAsync('garden/#', { qos: 1 });
    keeper.end(true);
    const publisher = await connectAsync(login);
    await publisher.publishAsync('garden/gate', 'open', { qos: 1, retain: true });
    publisher.end(true);
    await broker.kill();
  }
  await using broker = await service(dir.path, { EDGE_BROKER_QUEUE_WRITE_DELAY_MS: '0' });
  const received = mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', 'garden/#', '-C', '1', '-v');
  expect(await received.outcome).toMatchObject({ code: 0, out: 'garden/gate open\n' });
  const login = { port: broker.port, host: '127.0.0.1', username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
  const publisher = await connectAsync(login);
  await publisher.publishAsync('garden/gate', 'shut', { qos: 1 });
  publisher.end(true);
  await broker.kill();

  await using again = await service(dir.path);
  const keeper = connect({ ...login, port: again.port, clientId: 'keeper', clean: false });
  expect(await receive(keeper, 1)).toEqual(['garden/gate shut']);
  keeper.end(true);
});

test('a service of the box comes in with the secret that lies in its file, and with the rights of its kind', async () => {
  using dir = scratch();
  await using broker = await service(dir.path);
  const device = await connectAsync({
    port: broker.port,
    host: '127.0.0.1',
    username: 'ledge-device',
    password: 'secret of device',
    reconnectPeriod: 0,
  });
  await expect(device.subscribeAsync('ledge-test/5/+/+/+/set', { qos: 1 })).resolves.toHaveLength(1);
  await expect(device.subscribeAsync('$SYS/#')).rejects.toThrow();
  device.end(true);
  const impostor = {
    port: broker.port,
    host: '127.0.0.1',
    username: 'ledge-../mqtt/device',
    password: 'secret of device',
    reconnectPeriod: 0,
  };
  await expect(connectAsync(impostor)).rejects.toMatchObject({ code: 4 });
});

test('the counters are told below $SYS, over HTTP and to Prometheus', async () => {
  using dir = scratch();
  await using broker = await service(dir.path);
  await broker.call('POST', '/users', { ...GARDENER, rules: [{ filter: '$SYS/#', access: 'subscribe' }] });
  const received = mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', '$SYS/broker/version', '-C', '1');
  expect((await received.outcome).out).toMatch(/^Ledge broker, aedes \d/);
  const counters = JSON.parse((await broker.call('GET', '/counters')).body) as Record<string, number>;
  expect(counters['messages/received']).toBeGreaterThan(2);
  expect(counters['load/bytes/sent/15min']).toBeTypeOf('number');
  expect((await broker.call('GET', '/metrics')).body).toMatch(/^mqtt_broker_clients_connected\{service="broker"\} \d/m);
  expect(JSON.parse((await broker.call('GET', '/health')).body)).toMatchObject({ state: 'ready' });
});

test('a damaged store is moved aside, said, and does not keep the broker from starting', async () => {
  using dir = scratch();
  mkdirSync(join(dir.path, 'broker'));
  writeFileSync(join(dir.path, 'broker', 'sessions.db'), Buffer.alloc(8192, 'no database'));
  await using broker = await service(dir.path);
  expect(broker.log.some(({ msg }) => String(msg).includes('moved aside'))).toBe(true);
  expect(readdirSync(join(dir.path, 'broker')).some((file) => file.startsWith('sessions.db.damaged-'))).toBe(true);
});
