import { until } from '@ledge/testing';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, slowness, startAppliance } from './appliance.ts';
import { MosquittoSub } from './mosquitto-client.ts';

let ledge: Appliance;
const reader = { name: 'reader', password: 'read-only-please' };

beforeAll(async () => {
  ledge = await startAppliance();
  await ledge.addMqttUser(reader.name, reader.password, [{ filter: `${ledge.edge}/5/#`, access: 'subscribe' }]);
});
afterAll(() => ledge?.stop());

test("a user made through the API sees the machine's own load or temperature change", async () => {
  const sub = new MosquittoSub(ledge, `${ledge.edge}/5/#`, reader);
  try {
    const changing = await until(
      'a value of the machine to change',
      () => {
        const topics = new Set(
          sub.lines.map((line) => line.topic).filter((topic) => /\/5\/system\/[^$/]+\/(temperature|load|cpu|memory)/.test(topic)),
        );
        return [...topics].find((topic) => new Set(sub.payloads(topic)).size > 1);
      },
      30_000 * slowness,
    );
    expect(changing).toMatch(/temperature|load|cpu|memory/);
  } finally {
    await sub.stop();
  }
});

test('without a user it is refused', async () => {
  const sub = new MosquittoSub(ledge, `${ledge.edge}/#`);
  expect(await sub.ended()).not.toBe(0);
  expect(sub.errors.join('\n')).toMatch(/not authori[sz]ed|refused/i);
});

test('with a wrong password it is refused', async () => {
  const sub = new MosquittoSub(ledge, `${ledge.edge}/5/#`, { name: reader.name, password: 'guess' });
  expect(await sub.ended()).not.toBe(0);
});

test('outside its rules it is refused', async () => {
  const sub = new MosquittoSub(ledge, `${ledge.edge}/service/#`, reader);
  await until('the refusal', () => /denied|refused|not authori[sz]ed/i.test(sub.errors.join('\n')));
  await sub.stop();
  expect(sub.lines).toEqual([]);
});

test('a client is disconnected by its id, whatever signs are in it', async () => {
  const clientId = 'a/b c?#%2F Küche ☃';
  const login = { username: reader.name, password: reader.password, reconnectPeriod: 0 };
  const client = await connectAsync({ port: ledge.mqttPort, host: '127.0.0.1', clientId, ...login });
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  expect((await ledge.api('DELETE', `/api/broker/clients/${encodeURIComponent(clientId)}`)).status).toBe(204);
  await gone;
});
