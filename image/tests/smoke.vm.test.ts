import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MosquittoSub } from '../../acceptance/mosquitto-client.ts';
import { applianceOf } from './vm/appliance.ts';
import { newBox } from './vm/box.ts';
import type { Machine } from './vm/machine.ts';

const account = { name: 'smoke', password: 'read-only-please' };
let box: Machine;

beforeAll(async () => {
  box = await newBox('smoke');
  await box.powerOn();
});
afterAll(() => box?.remove());

test('from power-on over U-Boot and slot A to services that are all ready', async () => {
  const slot = await box.console.wait(/^Ledge: slot A \(normal\)/, 60_000);
  const upMs = await box.up();
  console.log(
    `U-Boot chose slot A after ${(slot.atMs / 1000).toFixed(1)} s, all services were ready ${(upMs / 1000).toFixed(1)} s after power-on`,
  );
});

test('the page is served', async () => {
  const response = await fetch(box.url);
  expect(response.status).toBe(200);
  expect(await response.text()).toMatch(/<title>[^<]*Ledge/i);
});

test('a value of the machine comes over MQTT', async () => {
  const ledge = await applianceOf(box);
  await ledge.addMqttUser(account.name, account.password, [{ filter: `${ledge.edge}/5/#`, access: 'subscribe' }]);
  const sub = new MosquittoSub(ledge, `${ledge.edge}/5/system/#`, account);
  try {
    const value = await until('a value', () => sub.lines.find(({ topic }) => /\/5\/system\/[^$/]+\/[^$/]+$/.test(topic)), 60_000);
    console.log(`${value.topic} ${value.payload}`);
    expect(value.payload).not.toBe('');
  } finally {
    await sub.stop();
  }
});
