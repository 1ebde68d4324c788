import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, startAppliance } from './appliance.ts';
import type { LoadPlan, LoadResult } from './load-generator.ts';

const user = { username: 'load', password: 'carrying-a-load' };
/**
 * With a frozen reader of each kind, healthy ones may not be slower than this much of what they were without: at the median, which who
 * waits for another would move, and one hiccup of the machine does not.
 */
const SLOWER_AT_MOST = 2;
const NOISE_MS = 25;

let ledge: Appliance;
beforeAll(async () => {
  ledge = await startAppliance();
  await ledge.addMqttUser(user.username, user.password, [{ filter: 'load/#', access: 'both' }]);
});
afterAll(() => ledge?.stop());

async function run(part: Pick<LoadPlan, 'durationMs' | 'frozen'>): Promise<LoadResult> {
  const plan: LoadPlan = {
    url: ledge.url,
    token: ledge.token,
    mqttPort: ledge.mqttPort,
    ...user,
    mqttClients: 100,
    messagesPerSecond: 2000,
    sseReaders: 200,
    topicsPerReader: 10,
    ...part,
  };
  const generator = fork(join(import.meta.dirname, 'load-generator.ts'), [JSON.stringify(plan)]);
  const failed = once(generator, 'exit').then(([code]) => {
    throw new Error(`the load generator ended with ${code}`);
  });
  failed.catch(() => {});
  await Promise.race([once(generator, 'message'), failed]);
  generator.send('go');
  const [result] = await Promise.race([once(generator, 'message') as Promise<[LoadResult]>, failed]);
  return result;
}

test('200 SSE readers and 100 MQTT clients at 2,000 messages/s for 60 s lose nothing, and a frozen reader of each kind costs them nothing', {
  timeout: 150_000,
}, async () => {
  const alone = await run({ durationMs: 10_000, frozen: false });
  const beside = await run({ durationMs: 60_000, frozen: true });
  for (const [name, result] of Object.entries({ alone, 'with frozen readers': beside })) {
    const { p50, p99 } = result.sseDelayMs;
    console.log(
      `${name}: ${result.sent} sent; MQTT got ${result.mqttReceived} (p50 ${result.mqttDelayMs.p50.toFixed(1)}, p99 ${result.mqttDelayMs.p99.toFixed(1)} ms); SSE got ${result.sseReceived} (p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms)`,
    );
    expect({ name, mqttLost: result.mqttLost, sseLost: result.sseLost, dropEvents: result.dropEvents }).toEqual({
      name,
      mqttLost: 0,
      sseLost: 0,
      dropEvents: 0,
    });
  }
  expect(beside.sent).toBeGreaterThan(119_000);
  expect(beside.sseDelayMs.p50).toBeLessThan(alone.sseDelayMs.p50 * SLOWER_AT_MOST + NOISE_MS);
  expect(beside.mqttDelayMs.p50).toBeLessThan(alone.mqttDelayMs.p50 * SLOWER_AT_MOST + NOISE_MS);
});
