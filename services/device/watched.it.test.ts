import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceState, Value } from '@ledge/contract';
import { type Environment, type RunningService, runService, type Things, type ValueFacts } from '@ledge/kit';
import { defineService, z } from '@ledge/sdk';
import { findProgram, freePort, MosquittoBroker, until } from '@ledge/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deviceService } from './device.ts';

const SHED = `driver: simulated
options: {}
properties:
  temperature: { datatype: float, unit: °C, sample: { every: 100ms }, source: { value: 21.5 } }
  pressure: { datatype: float, unit: Pa, sample: { every: 1h }, source: { value: 99.5 } }
  fan: { datatype: boolean, settable: true }
  slow: { datatype: integer, settable: true, min: 0, max: 10, source: { delay: 300ms } }
  stuck: { datatype: boolean, settable: true, source: { reject: it is stuck } }
`;

describe.skipIf(!findProgram('mosquitto'))('a service beside the device service, on a real broker', () => {
  const log = pino({ level: 'silent' });
  let broker: MosquittoBroker;
  let environment: Environment;
  let data: string;
  let things: Things;
  const running: RunningService[] = [];

  const rule = defineService({
    name: 'rule',
    version: '1.0.0',
    summary: 'Watches',
    settings: z.object({}),
    start(context) {
      things = context.things;
      return {};
    },
  });
  const device = async () => {
    const service = await runService(deviceService({ environment }), { environment, log });
    running.push(service);
    return service;
  };

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'ledge-watched-'));
    mkdirSync(join(data, 'things'));
    writeFileSync(join(data, 'things', 'shed.yaml'), SHED);
    broker = new MosquittoBroker(await freePort());
    await broker.start();
    environment = { EDGE_DATA: data, EDGE_ID: 'ledge-test', EDGE_MQTT_URL: broker.url };
    running.push(await runService(rule, { environment, log }));
  });
  afterEach(async () => {
    for (const service of running.splice(0).reverse()) await service.stop();
    await broker.stop();
    rmSync(data, { recursive: true, force: true });
  });

  test('values and states come as the thing says them, held ones first, and go on after the broker lost its memory', async () => {
    const states: DeviceState[] = [];
    const early: Value[] = [];
    things.watchState('shed', (state) => void states.push(state));
    things.watch('shed/main/temperature', (value) => void early.push(value));
    await device();
    things.watch('shed/main/pressure', (value) => void early.push(value));
    await until('values', () => early.includes(21.5) && early.includes(99.5));
    await until('the state', () => states.at(-1) === 'ready');

    // one that is not said again meanwhile, or else it may be heard as it is said, before the broker tells what it held
    const held: [Value, ValueFacts][] = [];
    things.watch('shed/main/pressure', (value, facts) => void held.push([value, facts]));
    await until('the held value', () => held.length > 0);
    expect(held).toEqual([[99.5, { timeMs: expect.any(Number), retained: true, datatype: 'float', unit: 'Pa' }]]);

    const heard: Value[] = [];
    const end = things.watch('shed/main/temperature', (value) => void heard.push(value));
    await until('a value', () => heard.includes(21.5));
    await broker.kill();
    const before = heard.length;
    await broker.start();
    await until('values again', () => heard.length > before + 1);
    end();

    await running.pop()?.stop();
    await until('the end of the device service', () => states.at(-1) === 'disconnected');
  });

  test('commands end as the thing ends them', async () => {
    await device();
    await until('the thing', () => things.command('shed/main/fan', true));
    expect(await things.command('shed/main/fan', true)).toBe(true); // said again although it is so
    expect(await things.command('shed/main/slow', 7)).toBe(7);
    await expect(things.command('shed/main/stuck', true)).rejects.toMatchObject({
      code: 'command-rejected',
      message: expect.stringContaining('it is stuck'),
    });
    await expect(things.command('shed/main/slow', 11)).rejects.toMatchObject({ code: 'invalid-value' });
    await expect(things.command('shed/main/temperature', 1)).rejects.toMatchObject({ code: 'not-settable' });
    await expect(things.command('shed/main/slow', 3, { withinMs: 50 })).rejects.toMatchObject({ code: 'command-timed-out' });
    await expect(things.command('hut/main/fan', true)).rejects.toMatchObject({ code: 'not-found' });
  });
});
