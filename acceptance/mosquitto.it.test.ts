import { until } from '@ledge/testing';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, allWell, slowness } from './appliance.ts';
import { startLocalAppliance } from './local-appliance.ts';
import { MosquittoSub } from './mosquitto-client.ts';

const RIGHT_AGAIN_WITHIN_MS = 5000;
const reader = { name: 'reader', password: 'read-only-please' };
let ledge: Appliance;

beforeAll(async () => {
  ledge = await startLocalAppliance({
    environment: { EDGE_BROKER_ENGINE: 'mosquitto' },
    things: {
      'clock.yaml':
        'driver: simulated\nsample: { every: 100ms }\nproperties:\n  tick: { datatype: integer, source: { wave: counter } }\n  lamp: { datatype: boolean, settable: true }\n',
    },
  });
  await ledge.addMqttUser(reader.name, reader.password, [{ filter: `${ledge.edge}/5/#`, access: 'subscribe' }]);
});
afterAll(() => ledge?.stop());

const tick = () => `${ledge.edge}/5/clock/main/tick`;

/** Every service is ready, values come, a command is answered. */
async function right(): Promise<boolean> {
  if (!(await allWell(ledge))) return false;
  const sub = new MosquittoSub(ledge, tick(), reader);
  try {
    await until('live values', () => new Set(sub.payloads(tick())).size > 2, 2000 * slowness);
    const { body } = await ledge.api<{ outcome?: string }>('PUT', '/api/device/things/clock/main/lamp', { value: true });
    return body.outcome === 'acknowledged';
  } finally {
    await sub.stop();
  }
}

test('mosquitto is the broker, and all services are well on it', async () => {
  await until('everything to be right', right, 20_000 * slowness);
  const counters = await ledge.api<Record<string, string>>('GET', '/api/broker/counters');
  expect(counters.body.version).toMatch(/mosquitto 2/);
});

test('users made through the API are held to their rules, and a wrong password is told', async () => {
  const outside = new MosquittoSub(ledge, `${ledge.edge}/service/#`, reader);
  await until('the refusal', () => /denied|not authori[sz]ed/i.test(outside.errors.join('\n')));
  await outside.stop();
  const wrong = new MosquittoSub(ledge, tick(), { ...reader, password: 'guess' });
  expect(await wrong.ended()).not.toBe(0);
});

test('a user that is removed is thrown out and does not come back', async () => {
  await ledge.addMqttUser('guest', 'for one evening', [{ filter: '#', access: 'subscribe' }]);
  const login = { port: ledge.mqttPort, host: '127.0.0.1', username: 'guest', password: 'for one evening', reconnectPeriod: 0 };
  const guest = await connectAsync(login);
  const gone = new Promise<void>((resolve) => guest.once('close', () => resolve()));
  expect((await ledge.api('DELETE', '/api/broker/users/guest')).status).toBe(204);
  await gone;
  await expect(connectAsync(login)).rejects.toThrow();
});

test.each(['the broker service', 'mosquitto itself'])('after kill -9 of %s everything is right again within 5 s', async (killed) => {
  await until('everything to be right', right, 20_000 * slowness);
  const service = await ledge.pidOf('broker');
  const mosquitto = await ledge.childOf(service, 'mosquitto');
  expect(mosquitto).toBeDefined();
  const startMs = performance.now();
  await ledge.killProcess(killed === 'mosquitto itself' ? (mosquitto ?? 0) : service);
  await until('another mosquitto', async () => {
    const now = await ledge.childOf(await ledge.pidOf('broker'), 'mosquitto');
    return now !== undefined && now !== mosquitto;
  });
  await until('everything to be right again', right, 20_000 * slowness);
  const tookMs = performance.now() - startMs;
  console.log(`kill -9 of ${killed}: all right after ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(RIGHT_AGAIN_WITHIN_MS * slowness);
});
