import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDir } from '@ledge/kit';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, expect, test } from 'vitest';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const ended = (child: ChildProcess) => (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve());

async function mosquitto(port: number): Promise<{ stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  writeFileSync(join(dir, 'conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n`);
  const child = spawn('mosquitto', ['-c', join(dir, 'conf'), '-v'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended(child);
    rmSync(dir, { recursive: true, force: true });
  };
  cleanups.push(stop);
  await new Promise<void>((resolve) => child.stderr.on('data', (text: Buffer) => text.includes('running') && resolve()));
  return { stop };
}

/** A device service as its own process. */
async function device(data: string, port: number) {
  const environment = { ...process.env, EDGE_DATA: data, EDGE_MQTT_URL: `mqtt://127.0.0.1:${port}` };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => {
      log += text.toString();
      if (log.includes('service ready')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${log}`)));
  });
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  await ready;
  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> =>
    await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'x-ledge-user': 'ada', 'x-ledge-role': 'admin' };
      const asked = request({ socketPath: new DataDir(data).socketPath('device'), method, path, headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text ? JSON.parse(text) : undefined }));
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    call,
    async kill() {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
      await ended(child);
    },
    async stop() {
      child.removeAllListeners('exit');
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}

interface Heard {
  topic: string;
  payload: string;
  retained: boolean;
}

/** A client that keeps all it hears. */
async function listener(port: number) {
  const heard: Heard[] = [];
  const waits = new Set<() => void>();
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100 });
  cleanups.push(() => client.endAsync(true));
  client.on('message', (topic, payload, { retain }) => {
    heard.push({ topic, payload: payload.toString(), retained: retain });
    for (const check of [...waits]) check();
  });
  await client.subscribeAsync('#', { qos: 1 });
  return {
    client,
    heard,
    until: async (what: (heard: Heard[]) => boolean) =>
      await new Promise<void>((resolve) => {
        const check = () => {
          if (!what(heard)) return;
          waits.delete(check);
          resolve();
        };
        waits.add(check);
        check();
      }),
  };
}

/** Between the service and its broker: can be cut without either of them ending. */
async function line(toPort: number) {
  const sockets = new Set<Socket>();
  let up = true;
  const server = createServer(async (near) => {
    if (!up) return near.destroy();
    const { connect } = await import('node:net');
    const far = connect(toPort, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    up = false;
    for (const socket of sockets) socket.destroy();
  };
  cleanups.push(() => {
    cut();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    cut,
    mend: () => {
      up = true;
    },
  };
}

function dataDir(things: Record<string, string>): string {
  const data = mkdtempSync(join(tmpdir(), 'ledge-'));
  cleanups.push(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, 'things'));
  for (const [id, yaml] of Object.entries(things)) writeFileSync(join(data, 'things', `${id}.yaml`), yaml);
  return data;
}

/** Ten counters, ten times a second each: 100 readings a second. */
const COUNTERS = `driver: simulated
sample: { every: 100ms }
properties:
${Array.from({ length: 10 }, (_, i) => `  c${i}: { datatype: integer, source: { wave: counter } }\n`).join('')}`;
const LAMP = `name: Lamp
driver: simulated
sample: { every: 1h }
properties:
  on: { datatype: boolean, settable: true, source: { value: false } }
  level: { datatype: integer, min: 0, max: 100, settable: true, source: { value: 0, reject: it is stuck } }
  color: { datatype: color, settable: true, source: { value: 'rgb,0,0,0', delay: 1h } }
`;

interface Said {
  property: string;
  seq: number;
  value: number;
  replayed: boolean;
}
const readingsOf = (heard: Heard[], thing: string): Said[] =>
  heard
    .filter((m) => m.topic.includes(`/reading/${thing}/`))
    .map((m) => ({ ...(JSON.parse(m.payload) as Omit<Said, 'property'>), property: m.topic.split('/').at(-1) ?? '' }));
const byProperty = (said: Said[]) => Map.groupBy(said, (s) => s.property);
const latest = (heard: Heard[], suffix: string) => heard.findLast((m) => m.topic.endsWith(suffix))?.payload;

test('while the broker is away readings are kept, and said afterwards: none lost, none twice, in order', async () => {
  const port = await freePort();
  await mosquitto(port);
  const wire = await line(port);
  const data = dataDir({ counters: COUNTERS });
  const recorder = await listener(port);
  const service = await device(data, wire.port);
  await recorder.until((heard) => readingsOf(heard, 'counters').length > 100);
  for (let outage = 0; outage < 3; outage++) {
    const before = readingsOf(recorder.heard, 'counters').length;
    wire.cut();
    let kept = 0;
    while (kept < 100) {
      const metrics = await new Promise<string>((resolve, reject) => {
        const headers = { 'x-ledge-user': 'ada', 'x-ledge-role': 'viewer' };
        request({ socketPath: new DataDir(data).socketPath('device'), path: '/metrics', headers }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on('end', () => resolve(text));
        })
          .on('error', reject)
          .end();
      });
      kept = Number(/ledge_outbox_readings\{.*\} (\d+)/.exec(metrics)?.[1]);
    }
    wire.mend();
    await recorder.until((heard) => readingsOf(heard, 'counters').length > before + 200);
  }
  await service.stop();
  const said = readingsOf(recorder.heard, 'counters');
  expect(said.some((s) => s.replayed)).toBe(true);
  for (const [property, all] of byProperty(said)) {
    const fresh = all.filter((s, i) => all.findIndex((other) => other.seq === s.seq) === i);
    expect(
      fresh.map((s) => s.seq),
      property,
    ).toEqual(Array.from({ length: fresh.length }, (_, i) => i));
    expect(
      fresh.every((s) => s.value === s.seq),
      `${property} says each value under one number`,
    ).toBe(true);
  }
});

test('after kill -9 no number is used twice, at whatever moment it comes', async () => {
  const port = await freePort();
  await mosquitto(port);
  const data = dataDir({ counters: COUNTERS });
  const recorder = await listener(port);
  const values = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    const before = recorder.heard.length;
    const service = await device(data, port);
    await recorder.until((heard) => readingsOf(heard.slice(before), 'counters').length > 20 + 37 * round);
    await service.kill();
    for (const { property, seq, value } of readingsOf(recorder.heard.slice(before), 'counters')) {
      const use = `${property} ${seq}`;
      expect(values.get(use) ?? `${round}: ${value}`, use).toBe(`${round}: ${value}`);
      values.set(use, `${round}: ${value}`);
    }
  }
});

test('when the process is gone without a word, the will says lost; an orderly stop says disconnected', async () => {
  const port = await freePort();
  await mosquitto(port);
  const data = dataDir({ lamp: LAMP });
  const other = await listener(port);
  const first = await device(data, port);
  await other.until((heard) => latest(heard, '/5/lamp/$state') === 'ready' && latest(heard, '/5/system/$state') === 'ready');
  const description = JSON.parse(latest(other.heard, '/5/lamp/$description') ?? '') as object;
  expect(description).toMatchObject({ homie: '5.0', root: 'system', parent: 'system' });
  expect(JSON.parse(latest(other.heard, '/5/system/$description') ?? '')).toMatchObject({ children: ['lamp'] });
  await first.kill();
  await other.until((heard) => latest(heard, '/5/system/$state') === 'lost');
  const second = await device(data, port);
  await other.until((heard) => latest(heard, '/5/system/$state') === 'ready');
  await second.stop();
  await other.until((heard) => latest(heard, '/5/system/$state') === 'disconnected');
  expect(latest(other.heard, '/5/lamp/$state')).toBe('disconnected');
});

test('a broker that forgot everything is told everything again', async () => {
  const port = await freePort();
  const broker = await mosquitto(port);
  const data = dataDir({ lamp: LAMP });
  await device(data, port);
  await broker.stop();
  await mosquitto(port);
  const other = await listener(port);
  await other.until((heard) => latest(heard, '/5/system/$state') === 'ready' && latest(heard, '/5/lamp/$state') === 'ready');
  await other.until((heard) => latest(heard, '-lamp/config') !== undefined && latest(heard, '/5/lamp/main/on') === 'false');
  expect(other.heard.filter((m) => m.topic.endsWith('$state')).every((m) => m.payload !== 'lost')).toBe(true);
});

test('commands end acknowledged, rejected or timed out, over MQTT and HTTP', async () => {
  const port = await freePort();
  await mosquitto(port);
  const data = dataDir({ lamp: LAMP });
  mkdirSync(join(data, 'settings'));
  writeFileSync(join(data, 'settings', 'device.yaml'), 'commandTimeoutMs: 300\n');
  const other = await listener(port);
  const service = await device(data, port);
  const edge = readFileSync(join(data, 'edge-id'), 'utf8').trim();
  await other.until((heard) => latest(heard, '/5/lamp/$state') === 'ready');

  await other.client.publishAsync(`${edge}/5/lamp/main/on/set`, 'true', { qos: 1 });
  await other.until((heard) => latest(heard, '/5/lamp/main/on') === 'true');
  expect(latest(other.heard, '/5/lamp/main/on/$target')).toBe('true');

  await other.client.publishAsync(`${edge}/5/lamp/main/level/set`, '400', { qos: 1 });
  await other.until((heard) => latest(heard, '/5/lamp/$log/warn')?.includes('100 or less is wanted') ?? false);

  const put = (property: string, value: unknown) => service.call('PUT', `/things/lamp/main/${property}`, { value });
  expect(await put('on', false)).toMatchObject({ status: 200, body: { outcome: 'acknowledged', value: false } });
  expect(await put('level', 50)).toMatchObject({ status: 409, body: { code: 'command-rejected', detail: 'it is stuck' } });
  expect(await put('level', 'much')).toMatchObject({ status: 400, body: { code: 'invalid-value' } });
  expect(await put('color', 'rgb,1,2,3')).toMatchObject({ status: 504, body: { code: 'command-timed-out' } });
  expect(await put('nothing', 1)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect(await service.call('PUT', '/things/system/main/cpu', { value: 1 })).toMatchObject({ status: 422, body: { code: 'not-settable' } });
});

test('a thing is there within a second of its file, changes with it, survives a mistake, and goes with it', async () => {
  const port = await freePort();
  await mosquitto(port);
  const data = dataDir({});
  const other = await listener(port);
  await device(data, port);
  const file = join(data, 'things', 'new.yaml');
  const write = (yaml: string) => {
    // as editors do: a new file is renamed over the old one
    writeFileSync(`${file}~`, yaml);
    renameSync(`${file}~`, file);
    return performance.now();
  };
  let writtenAt = write('driver: simulated\nproperties: { t: { datatype: float } }\n');
  await other.until((heard) => latest(heard, '/5/new/$state') === 'ready');
  expect(performance.now() - writtenAt).toBeLessThan(1000);

  write('driver: simulated\nproperties: { t: { datatype: folat } }\n');
  await other.until((heard) => heard.some((m) => m.topic.endsWith('/event/thing-invalid')));
  expect(JSON.parse(latest(other.heard, '/event/thing-invalid') ?? '')).toMatchObject({
    file: 'new.yaml',
    line: 2,
    key: 'properties.t.datatype',
  });
  expect(latest(other.heard, '/5/new/$state')).toBe('ready');

  writtenAt = write('name: Other\ndriver: simulated\nproperties: { u: { datatype: float } }\n');
  await other.until((heard) => latest(heard, '/5/new/$description')?.includes('Other') ?? false);
  await other.until((heard) => latest(heard, '/5/new/main/t') === '');
  expect(performance.now() - writtenAt).toBeLessThan(1000);

  rmSync(file);
  await other.until((heard) => latest(heard, '/5/new/$state') === '' && latest(heard, '/5/new/$description') === '');
  await other.until((heard) => latest(heard, '-new/config') === '');
});

test('a thing whose file went while the service was not there is cleared from the broker', async () => {
  const port = await freePort();
  await mosquitto(port);
  const data = dataDir({ gone: 'driver: simulated\nproperties: { t: { datatype: float } }\n' });
  const other = await listener(port);
  const first = await device(data, port);
  await other.until((heard) => latest(heard, '/5/gone/main/t') !== undefined);
  await first.kill();
  rmSync(join(data, 'things', 'gone.yaml'));
  await device(data, port);
  await other.until((heard) =>
    ['/5/gone/$state', '/5/gone/$description', '/5/gone/main/t', '-gone/config'].every((t) => latest(heard, t) === ''),
  );
});

test('thing files are read and written over HTTP, and never outside their directory', async () => {
  const port = await freePort();
  await mosquitto(port);
  const data = dataDir({});
  const { call } = await device(data, port);
  const yaml = 'name: Written\ndriver: simulated\nproperties: { t: { datatype: float } }\n';
  expect(await call('PUT', '/things/written/file', { yaml })).toMatchObject({ status: 200, body: { id: 'written', name: 'Written' } });
  expect(await call('GET', '/things/written/file')).toMatchObject({ status: 200, body: { yaml } });
  const broken = yaml.replace('simulated', 'simulatd');
  expect(await call('PUT', '/things/written/file', { yaml: broken })).toMatchObject({
    status: 422,
    body: { code: 'thing-invalid', detail: expect.stringContaining('written.yaml line 2: driver is "simulatd"') },
  });
  expect(readFileSync(join(data, 'things', 'written.yaml'), 'utf8')).toBe(yaml);
  for (const id of ['..%2Fledge', '%2e%2e%2f%2e%2e', 'a%00b', 'A']) {
    expect((await call('PUT', `/things/${id}/file`, { yaml })).status).toBe(400);
  }
  expect((await call('DELETE', '/things/written')).status).toBe(204);
  expect((await call('GET', '/things/written')).status).toBe(404);
  expect(await call('DELETE', '/things/system')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  const drivers = (await call('GET', '/drivers')).body as { name: string; available: boolean; why?: string }[];
  expect(drivers).toHaveLength(9);
  for (const { available, why } of drivers) expect(why === undefined).toBe(available);
  expect((await call('GET', '/things.schema.json')).body).toMatchObject({ allOf: expect.any(Array) });
});
