import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operation, type ServiceRecord, topics } from '@ledge/contract';
import { findProgram, freePort, MosquittoBroker, until } from '@ledge/testing';
import mqtt, { type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SupervisorMessage } from './notify.ts';
import type { Bus } from './ports.ts';
import { type RunningService, runService } from './run.ts';
import { defineService } from './service.ts';

const log = pino({ level: 'silent' });
const hello = operation({ method: 'get', path: '/hello', summary: 'Hello', for: 'public', response: z.string() });

describe.skipIf(!findProgram('mosquitto'))('a service on a real broker', () => {
  let broker: MosquittoBroker;
  let environment: Record<string, string>;
  let watcher: MqttClient;
  let running: RunningService | undefined;
  const seen = new Map<string, string>();
  const record = () => JSON.parse(seen.get(topics.service('ledge-test', 'hello')) || '{}') as Partial<ServiceRecord>;

  async function watch() {
    seen.clear();
    watcher = await mqtt.connectAsync(broker.url);
    watcher.on('message', (topic, payload) => seen.set(topic, payload.toString()));
    await watcher.subscribeAsync('ledge-test/#');
  }

  beforeEach(async () => {
    broker = new MosquittoBroker(await freePort());
    await broker.start();
    environment = { EDGE_DATA: mkdtempSync(join(tmpdir(), 'ledge-run-')), EDGE_ID: 'ledge-test', EDGE_MQTT_URL: broker.url };
    await watch();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await watcher.endAsync(true);
    await broker.stop();
  });

  const greeter = (seenBus?: (bus: Bus) => void, check?: () => void) =>
    defineService({
      name: 'hello',
      version: '1.2.3',
      summary: 'Says hello',
      settings: z.object({ word: z.string().default('hello') }),
      actions: {
        shout: {
          title: 'Shout',
          input: z.object({ twice: z.boolean().default(false) }),
          run: (context, { twice }) => context.settings.word.toUpperCase().repeat(twice ? 2 : 1),
        },
      },
      start({ api, bus, settings }) {
        seenBus?.(bus);
        api.handle(hello, () => settings.word);
        let greeted = 0;
        const greet = { title: 'Greet everybody', confirm: 'Wake everybody?', run: () => void greeted++ };
        const count = { title: 'Count greetings', run: () => ({ greeted }) };
        return { ...(check ? { check } : {}), apply() {}, actions: { greet, count } };
      },
    });

  test('it registers before it is ready, and says goodbye when it stops', async () => {
    const told: SupervisorMessage[] = [];
    running = await runService(greeter(), { environment, log, send: (message) => told.push(message) });
    expect(told.map((message) => message.type)).toEqual(['watchdog', 'ready']);
    await until('the record', () => record().state === 'ready');
    expect(record()).toMatchObject({ name: 'hello', version: '1.2.3', address: expect.stringMatching(/^unix:.*hello\.sock$/) });
    await running.stop();
    await until('the goodbye', () => record().state === 'disconnected');
  });

  test('one that nobody manages goes from the registry when it stops, and so does one that stops for good', async () => {
    const said = () => seen.get(topics.service('ledge-test', 'hello'));
    running = await runService(greeter(), { environment, log });
    await until('the record', () => record().state === 'ready');
    await running.stop();
    await until('its end', () => said() === '');
    running = await runService(greeter(), { environment, log, send: () => {} });
    await until('the record', () => record().state === 'ready');
    await running.stop({ forGood: true });
    await until('its end', () => said() === '');
  });

  test('a name that would take a folder or a client of ours is refused', async () => {
    for (const name of ['things', 'device-things', 'Hello']) {
      await expect(runService({ ...greeter(), name }, { environment, log })).rejects.toMatchObject({ code: 'config-invalid' });
    }
  });

  test('after the broker lost its memory, everything retained is said again', async () => {
    let bus: Bus | undefined;
    running = await runService(
      greeter((b) => (bus = b)),
      { environment, log },
    );
    bus?.retain('ledge-test/5/fan/$state', 'ready');
    bus?.retain('ledge-test/5/gone/$state', 'ready');
    bus?.forget('ledge-test/5/gone/$state');
    const heard: string[] = [];
    await bus?.subscribe('ledge-test/5/+/main/on/set', ({ payload }) => heard.push(payload.toString()));
    await broker.kill();
    await broker.start();
    await watch();
    await until('the record', () => record().state === 'ready');
    await until('what was retained', () => seen.get('ledge-test/5/fan/$state') === 'ready');
    expect(seen.has('ledge-test/5/gone/$state')).toBe(false);
    await watcher.publishAsync('ledge-test/5/fan/main/on/set', 'true', { qos: 1 });
    await until('the subscription', () => heard.length === 1);
  });

  test('publishing without a broker fails at once, and so does what was on its way', async () => {
    let bus: Bus | undefined;
    running = await runService(
      greeter((b) => (bus = b)),
      { environment, log },
    );
    const closed = new Promise<string>((resolve) => bus?.onClose(resolve));
    await bus?.publish('ledge-test/x', 'there', { qos: 1 });
    await broker.kill();
    await closed;
    await expect(bus?.publish('ledge-test/x', 'lost', { qos: 1 })).rejects.toMatchObject({ code: 'bus-away' });
  });

  test('a subscription that the broker did not answer before it went away is made with the next connection', async () => {
    let bus: Bus | undefined;
    running = await runService(
      greeter((b) => (bus = b)),
      { environment, log },
    );
    const heard: string[] = [];
    broker.freeze();
    const subscribed = bus?.subscribe('ledge-test/late', ({ payload }) => heard.push(payload.toString()));
    await broker.kill();
    await subscribed;
    await broker.start();
    await watch();
    await until('the subscription', async () => {
      await watcher.publishAsync('ledge-test/late', 'here', { qos: 1 });
      return heard.length > 0;
    });
  });

  test('a failing check is told and the watchdog starves', async () => {
    const told: SupervisorMessage[] = [];
    running = await runService(
      greeter(undefined, () => {
        throw new Error('the sensor bus hangs');
      }),
      { environment, log, send: (message) => told.push(message) },
    );
    expect(told).toContainEqual({ type: 'status', text: 'the sensor bus hangs' });
    expect(told.some((message) => message.type === 'watchdog')).toBe(false);
  });

  test('settings, actions, health and metrics are answered without having been written', async () => {
    running = await runService(greeter(), { environment, log });
    const socketPath = running.address.replace('unix:', '');
    const ask = (method: string, path: string, body?: object) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const headers = { 'content-type': 'application/json', 'x-ledge-user': 'ann', 'x-ledge-role': 'admin' };
        const call = request({ agent: false, socketPath, method, path, headers }, (response) => {
          let text = '';
          response.on('data', (part) => (text += String(part)));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        });
        call.once('error', reject);
        call.end(body && JSON.stringify(body));
      });
    expect(JSON.parse((await ask('GET', '/health')).text)).toMatchObject({ state: 'ready', version: '1.2.3' });
    expect((await ask('PUT', '/settings', { word: 'ahoy' })).status).toBe(200);
    expect(JSON.parse((await ask('POST', '/actions/shout', { twice: true })).text)).toEqual({ result: 'AHOYAHOY' });
    expect(JSON.parse((await ask('POST', '/actions/shout')).text)).toEqual({ result: 'AHOY' });
    const wrong = await ask('POST', '/actions/shout', { twice: 'yes' });
    expect(JSON.parse(wrong.text)).toMatchObject({ status: 400, code: 'invalid-value', errors: [{ field: 'twice' }] });
    expect(JSON.parse((await ask('POST', '/actions/greet')).text)).toEqual({});
    expect(JSON.parse((await ask('POST', '/actions/count')).text)).toEqual({ result: { greeted: 1 } });
    expect(JSON.parse((await ask('GET', '/actions')).text)).toEqual([
      {
        name: 'shout',
        title: 'Shout',
        input: { type: 'object', properties: { twice: { type: 'boolean', default: false } } },
      },
      { name: 'greet', title: 'Greet everybody', confirm: 'Wake everybody?' },
      { name: 'count', title: 'Count greetings' },
    ]);
    expect((await ask('PUT', '/settings', { wrod: 'ahoy' })).text).toContain('wrod');
    expect((await ask('GET', '/metrics')).text).toMatch(/process_resident_memory_bytes\{service="hello"\} \d+/);
    expect(Object.keys((JSON.parse((await ask('GET', '/openapi.json')).text) as { paths: object }).paths)).toContain('/actions/shout');
  });
});
