import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, SERVICES, type ServiceName, slowness, startAppliance } from './appliance.ts';
import { CLOCK_THING, everythingRight, WATCHER } from './right.ts';
import { SseReader } from './sse-reader.ts';

const RIGHT_AGAIN_WITHIN_MS = 5000;
let ledge: Appliance;

beforeAll(async () => {
  ledge = await startAppliance({ things: CLOCK_THING });
  await ledge.addMqttUser(WATCHER.name, WATCHER.password, [{ filter: '#', access: 'both' }]);
});
afterAll(() => ledge?.stop());

const isRight = () => everythingRight(ledge);

const timeToRight = async (killed: ServiceName, oldPid: number): Promise<number> => {
  const startMs = performance.now();
  await until('a new process', async () => (await ledge.pidOf(killed)) !== oldPid, 10_000 * slowness);
  await until('everything to be right again', isRight, 20_000 * slowness);
  return performance.now() - startMs;
};

test.each(SERVICES)('after kill -9 of %s everything is right again within 5 s', async (service) => {
  await until('a good start', isRight, 20_000 * slowness);
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
  await until('a good start', isRight, 20_000 * slowness);
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
