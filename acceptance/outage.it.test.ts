import type { HistoryPoint } from '@ledge/contract';
import { until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { type Appliance, slowness, startAppliance } from './appliance.ts';

const OUTAGE_MS = 60_000;
const PROPERTIES = 100; // each once a second: 100 readings/s
const CAUGHT_UP_WITHIN_MS = 30_000;
/** What the device service states: readings that were not yet in its outbox file may be lost with the process. */
const DEVICE_LOSS_WINDOW_MS = 1000;
const INTERVAL_MS = 1000;

const names = Array.from({ length: PROPERTIES }, (_, i) => `p${i}`);
const yaml = `driver: simulated\nsample: { every: 1s }\nproperties:\n${names.map((name) => `  ${name}: { datatype: integer, source: { wave: counter } }\n`).join('')}`;

type RawPoint = HistoryPoint & { seq: number };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function history(ledge: Appliance, property: string): Promise<RawPoint[]> {
  const { status, body } = await ledge.api<{ points: RawPoint[] }>('GET', `/api/server/history/load/main/${property}?limit=100000`);
  return status === 200 ? body.points : [];
}

async function brokerAway(ledge: Appliance, during: () => Promise<void>): Promise<{ fromMs: number; toMs: number }> {
  const fromMs = Date.now();
  await ledge.stopService('broker');
  await during();
  await ledge.startService('broker');
  return { fromMs, toMs: Date.now() };
}

/** All series reach past the outage, so everything that was kept has been replayed (in order). */
async function caughtUp(ledge: Appliance, toMs: number): Promise<Map<string, RawPoint[]>> {
  return await until(
    'the history to catch up',
    async () => {
      const all = new Map<string, RawPoint[]>();
      for (const name of names) {
        const points = await history(ledge, name);
        if (!points.some((point) => Date.parse(point.time) > toMs + 2 * INTERVAL_MS)) return undefined;
        all.set(name, points);
      }
      return all;
    },
    CAUGHT_UP_WITHIN_MS * slowness,
  );
}

const doubled = (points: readonly RawPoint[]) => points.length - new Set(points.map((point) => point.seq)).size;

/** Holes in seq, with the time that passed over each. */
function holes(points: readonly RawPoint[]): { missing: number; gapMs: number }[] {
  const sorted = [...points].sort((a, b) => a.seq - b.seq);
  return sorted.slice(1).flatMap((point, i) => {
    const before = sorted[i];
    if (!before || point.seq === before.seq + 1) return [];
    return [{ missing: point.seq - before.seq - 1, gapMs: Date.parse(point.time) - Date.parse(before.time) }];
  });
}

test('60 s without a broker at 100 readings/s: history has every seq exactly once, and a killed device loses at most its window', {
  timeout: 240_000 * slowness,
}, async () => {
  await Promise.all([quietOutage(), outageWithKill()]);
});

async function quietOutage(): Promise<void> {
  const ledge = await startAppliance({ things: { 'load.yaml': yaml } });
  try {
    await until('readings', async () => (await history(ledge, 'p99')).length > 2, 10_000 * slowness);
    const { fromMs, toMs } = await brokerAway(ledge, () => pause(OUTAGE_MS).then(() => {}));
    const all = await caughtUp(ledge, toMs);
    const during = [...all.values()]
      .flat()
      .filter((point) => Date.parse(point.time) > fromMs + INTERVAL_MS && Date.parse(point.time) < toMs - INTERVAL_MS);
    console.log(`outage of ${Math.round((toMs - fromMs) / 1000)} s: ${during.length} readings from it in the history`);
    for (const [name, points] of all) {
      expect({ name, doubled: doubled(points), holes: holes(points) }).toEqual({ name, doubled: 0, holes: [] });
    }
    expect(during.length).toBeGreaterThan((PROPERTIES * (toMs - fromMs - 4 * INTERVAL_MS)) / INTERVAL_MS);
  } finally {
    await ledge.stop();
  }
}

async function outageWithKill(): Promise<void> {
  const ledge = await startAppliance({ things: { 'load.yaml': yaml } });
  try {
    await until('readings', async () => (await history(ledge, 'p99')).length > 2, 10_000 * slowness);
    let killedMs = 0;
    const { toMs } = await brokerAway(ledge, async () => {
      await pause(OUTAGE_MS / 2);
      killedMs = Date.now();
      await ledge.kill('device');
      await pause(OUTAGE_MS / 2);
    });
    const all = await caughtUp(ledge, toMs);
    let worstLossMs = 0;
    for (const [name, points] of all) {
      expect({ name, doubled: doubled(points) }).toEqual({ name, doubled: 0 });
      const times = points.map((point) => Date.parse(point.time)).sort((a, b) => a - b);
      const lastBefore = times.findLast((ms) => ms <= killedMs) ?? 0;
      worstLossMs = Math.max(worstLossMs, killedMs - lastBefore);
      expect(holes(points).length, `${name}: the kill shows as a hole`).toBeLessThanOrEqual(1);
    }
    console.log(`kill -9 of device during the outage: the last reading kept is ${worstLossMs} ms older than the kill`);
    expect([...all.values()].some((points) => holes(points).length === 1)).toBe(true);
    expect(worstLossMs).toBeLessThan(DEVICE_LOSS_WINDOW_MS + 1.5 * INTERVAL_MS);
  } finally {
    await ledge.stop();
  }
}
