import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Problem, type ServiceRecord, topics } from '@ledge/contract';
import { findProgram, freePort, MosquittoBroker, until } from '@ledge/testing';
import mqtt, { type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Environment } from './paths.ts';
import { type RunningService, type RunPorts, runService } from './run.ts';
import { defineService } from './service.ts';

const log = pino({ level: 'silent' });
const topic = topics.service('ledge-test', 'hello');
const NOWHERE = 'http://127.0.0.1:9';

describe.skipIf(!findProgram('mosquitto'))('the name of a service', () => {
  let broker: MosquittoBroker;
  let watcher: MqttClient;
  let starts = 0;
  const said: Partial<ServiceRecord>[] = [];
  const running: RunningService[] = [];

  beforeEach(async () => {
    broker = new MosquittoBroker(await freePort());
    await broker.start();
    watcher = await mqtt.connectAsync(broker.url);
    watcher.on('message', (_, payload) => said.push(payload.length > 0 ? JSON.parse(payload.toString()) : {}));
    await watcher.subscribeAsync(topic, { qos: 1 });
    starts = 0;
    said.length = 0;
  });
  afterEach(async () => {
    for (const service of running.splice(0)) await service.stop();
    await watcher.endAsync(true);
    await broker.stop();
  });

  const hello = (keepSession = false) =>
    defineService({
      name: 'hello',
      version: '1.0.0',
      summary: 'Says hello',
      settings: z.object({}),
      keepSession,
      start() {
        starts++;
        return {};
      },
    });
  /** A process of the service as if on a machine of its own: only the broker is shared. */
  const elsewhere = (): Environment => ({
    EDGE_DATA: mkdtempSync(join(tmpdir(), 'ledge-name-')),
    EDGE_ID: 'ledge-test',
    EDGE_MQTT_URL: broker.url,
  });
  async function start(environment: Environment, { keepSession, ...ports }: RunPorts & { keepSession?: boolean } = {}) {
    const service = await runService(hello(keepSession), { environment, log, ...ports });
    running.push(service);
    return service;
  }
  const record = (given: Partial<ServiceRecord>): ServiceRecord => ({
    name: 'hello',
    version: '1.0.0',
    summary: 'Says hello',
    state: 'ready',
    address: NOWHERE,
    instance: 'another',
    startedAt: '2020-01-01T00:00:00.000Z',
    tiles: [],
    ...given,
  });
  const say = (given: Partial<ServiceRecord>) => watcher.publishAsync(topic, JSON.stringify(record(given)), { qos: 1, retain: true });
  const last = () => said.at(-1);

  test('a second process on the same data is refused, wherever it listens, and told who has the name', async () => {
    const environment = elsewhere();
    await start(environment);
    const beside = { ...environment, EDGE_RUN: mkdtempSync(join(tmpdir(), 'ledge-run-')) };
    for (const second of [beside, { ...environment, EDGE_LISTEN: '127.0.0.1:0' }]) {
      await expect(start(second)).rejects.toMatchObject({
        code: 'already-running',
        message: expect.stringMatching(new RegExp(`hello is already running: process ${process.pid} on `)),
      });
    }
    expect(starts).toBe(1);
    await running.pop()?.stop();
    await start(beside);
  });

  test.each([false, true])(
    'one that shares nothing but the broker is refused before it starts (keeps a session: %s)',
    async (keepSession) => {
      const first = await start(elsewhere(), { keepSession });
      await until('its record', () => last()?.state === 'ready');
      const count = said.length;
      await expect(start(elsewhere(), { keepSession })).rejects.toMatchObject({
        code: 'already-running',
        message: expect.stringContaining(`hello is already running at ${first.address} since 20`),
      });
      expect(starts).toBe(1);
      expect(said.length).toBe(count); // the first was neither thrown off nor overwritten
    },
  );

  test('one that cannot reach the first gives way as soon as it hears that it lives', async () => {
    const unreachable = { EDGE_LISTEN: `127.0.0.1:${await freePort()}`, EDGE_ADVERTISE: '127.0.0.1:9' };
    await start({ ...elsewhere(), ...unreachable });
    const first = await until('the first', () => last()?.instance);
    const problems: Problem[] = [];
    await start(elsewhere(), { onRefused: (problem) => problems.push(problem) });
    await until('the refusal', () => problems.length > 0);
    expect(problems[0]).toMatchObject({ code: 'already-running', message: expect.stringContaining('http://127.0.0.1:9') });
    await until('the first to be right again', () => last()?.instance === first && last()?.state === 'ready');
  });

  test('the record of a process that died does not block its successor', async () => {
    await say({ state: 'ready' });
    await start(elsewhere());
    await until('the successor', () => last()?.state === 'ready' && last()?.instance !== 'another');
  });

  test('nor does one whose address another process has now', async () => {
    const server = createServer((_, response) => response.end('{"state":"ready","instance":"quite another"}'));
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    try {
      await say({ address: `http://127.0.0.1:${port}` });
      await start(elsewhere());
    } finally {
      server.close();
    }
  });

  test('the will of a process that died does not stand over the word of its successor, nor does a cleared record', async () => {
    await start(elsewhere());
    const mine = await until('the record', () => last()?.instance);
    await say({ state: 'lost' });
    await until('the will', () => said.some(({ state }) => state === 'lost'));
    await until('its own word again', () => last()?.instance === mine && last()?.state === 'ready');
    await watcher.publishAsync(topic, '', { qos: 1, retain: true });
    await until('the clearing', () => said.some(({ name }) => name === undefined));
    await until('its own word again', () => last()?.instance === mine);
  });

  test('a process that came back finds out that an elder one has the name', async () => {
    const problems: Problem[] = [];
    await start(elsewhere(), { onRefused: (problem) => problems.push(problem) });
    await until('the record', () => last()?.state === 'ready');
    await say({ startedAt: '2020-01-01T00:00:00.000Z' });
    await until('the refusal', () => problems.length > 0);
    expect(last()?.instance).toBe('another');
  });

  test('who came later is told that the name is taken', async () => {
    const problems: Problem[] = [];
    await start(elsewhere(), { onRefused: (problem) => problems.push(problem) });
    const mine = await until('the record', () => last()?.instance);
    await say({ startedAt: '2120-01-01T00:00:00.000Z' });
    await until('its own word again', () => said.some(({ instance }) => instance === 'another') && last()?.instance === mine);
    expect(problems).toEqual([]);
  });
});
