import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, allWell, SERVICES, type ServiceName, slowness, startAppliance } from './appliance.ts';
import { MosquittoSub } from './mosquitto-client.ts';
import { SseReader } from './sse-reader.ts';

const RIGHT_AGAIN_WITHIN_MS = 5000;
const watcher = { name: 'watcher', password: 'watching-you' };
let ledge: Appliance;

beforeAll(async () => {
  ledge = await startAppliance({
    things: {
      'clock.yaml':
        'driver: simulated\nsample: { every: 100ms }\nproperties:\n  tick: { datatype: integer, source: { wave: counter } }\n  lamp: { datatype: boolean, settable: true }\n',
    },
  });
  await ledge.addMqttUser(watcher.name, watcher.password, [{ filter: '#', access: 'both' }]);
});
afterAll(() => ledge?.stop());

/** State, registry, retained values, live stream and commands: all as they should be. */
async function everythingRight(): Promise<boolean> {
  if (!(await allWell(ledge))) return false;
  const sub = new MosquittoSub(ledge, `${ledge.edge}/#`, watcher);
  const stream = new SseReader(ledge, [`${ledge.edge}/5/clock/#`]);
  try {
    await until(
      'retained values and live ones',
      () => {
        const states = SERVICES.map((name) => sub.payloads(`${ledge.edge}/service/${name}`).at(-1));
        return (
          states.every((text) => text && (JSON.parse(text) as { state: string }).state === 'ready') &&
          sub.payloads(`${ledge.edge}/5/clock/$state`).at(-1) === 'ready' &&
          sub.payloads(`${ledge.edge}/5/clock/$description`).length > 0 &&
          sub.payloads(`${ledge.edge}/5/clock/main/tick`).length > 1 &&
          new Set(stream.messages.filter((m) => m.topic.endsWith('/tick')).map((m) => m.payload)).size > 1
        );
      },
      2000 * slowness,
    );
    const command = await ledge.api<{ outcome?: string }>('PUT', '/api/device/things/clock/main/lamp', { value: true });
    return command.body.outcome === 'acknowledged';
  } finally {
    stream.stop();
    await sub.stop();
  }
}

const timeToRight = async (killed: ServiceName, oldPid: number): Promise<number> => {
  const startMs = performance.now();
  await until('a new process', async () => (await ledge.pidOf(killed)) !== oldPid, 10_000 * slowness);
  await until('everything to be right again', everythingRight, 20_000 * slowness);
  return performance.now() - startMs;
};

test.each(SERVICES)('after kill -9 of %s everything is right again within 5 s', async (service) => {
  await until('a good start', everythingRight, 20_000 * slowness);
  const before = await ledge.pidOf(service);
  await ledge.kill(service);
  const tookMs = await timeToRight(service, before);
  console.log(`kill -9 ${service}: all right after ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(RIGHT_AGAIN_WITHIN_MS * slowness);
});

test('the page stays right through a kill of the server: its stream comes back by itself', async () => {
  const stream = new SseReader(ledge, [`${ledge.edge}/5/clock/main/tick`], { reconnect: true });
  try {
    await until('a first value', () => stream.messages.length > 0, 10_000 * slowness);
    await ledge.kill('server');
    await until('the break', () => stream.connections > 1, 10_000 * slowness);
    const count = stream.messages.length;
    await until('values after it', () => stream.messages.length > count, 10_000 * slowness);
  } finally {
    stream.stop();
  }
});

test('ten kills of the broker at random moments leave everything right within 5 s of the last', async () => {
  await until('a good start', everythingRight, 20_000 * slowness);
  let pid = 0;
  for (let kill = 0; kill < 10; kill++) {
    pid = await ledge.pidOf('broker');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1000)); // the random moment is what is tested
    await ledge.killProcess(pid);
  }
  const tookMs = await timeToRight('broker', pid);
  console.log(`ten kills of the broker: all right after ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(RIGHT_AGAIN_WITHIN_MS * slowness);
});
