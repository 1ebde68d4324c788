import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ServiceView } from '@ledge/contract';
import { until } from '@ledge/testing';
import { type Appliance, startAppliance } from './appliance.ts';
import type { Order, Report } from './load-worker.ts';
import { type Memory, memoryOf } from './memory.ts';
import type { SseOrder, SseReport } from './sse-worker.ts';
import { grouped, mebibytes, quantile, rounded, table } from './statistics.ts';
import { Worker } from './worker.ts';

const STARTS = 3;
const SETTLE_MS = 15_000;
const MEASURE_MS = 15_000;
const BROWSERS = 500;
const LIVE_PER_S = 20;
const SENSORS = 100;
const LOGIN = { username: 'bench', password: 'bench-measures-now' };
const DAY_CHILD = join(import.meta.dirname, '..', 'services', 'server', 'recorder', 'test-tools', 'day-child.ts');

const PROBE = `name: Probe
driver: simulated
sample: { every: 100ms }
properties: { value: { datatype: float, source: { wave: sine, low: 15, high: 25, period: 5s } } }
`;
const sensors = () => `name: Sensors
driver: simulated
sample: { every: 1s }
properties:
${Array.from({ length: SENSORS }, (_, i) => `  value-${i}: { datatype: float, source: { wave: sine, low: ${i}, high: ${i + 10}, period: 60s } }`).join('\n')}
`;

interface Usage {
  name: string;
  memory: Memory | undefined;
}

/** Start, memory, delays and bytes of the whole appliance; `share` shortens the waits. */
export async function benchAppliance(share: number, say: (line: string) => void): Promise<string> {
  const starts: number[] = [];
  for (let i = 1; i < STARTS; i++) {
    say(`start ${i}`);
    await using appliance = await startAppliance();
    starts.push(appliance.startMs);
  }
  await using ledge = await startAppliance();
  starts.push(ledge.startMs);
  say('idle');
  await sleep(SETTLE_MS * share);
  const idle = await usage(ledge);
  say('thing to browser');
  const probe = await thingToBrowser(ledge, share);
  say(`${SENSORS} sensors and ${BROWSERS} browsers`);
  const { fanOut, loaded } = await underLoad(ledge, share);
  say('bytes of the recorder');
  const hour = await recorderHour();
  const facts = [
    ['start until every service is ready, median', `${grouped(quantile(starts, 0.5))} ms`],
    ['thing to browser, p50 / p99', `${rounded(probe.p50Ms, 1)} / ${rounded(probe.p99Ms, 1)} ms`],
    [`MQTT to ${BROWSERS} browsers, ${LIVE_PER_S} messages/s, p50 / p99`, `${rounded(fanOut.p50Ms, 1)} / ${rounded(fanOut.p99Ms, 1)} ms`],
    [`… delivered of ${grouped(fanOut.wanted)}`, grouped(fanOut.count)],
    ['recorder, 100 readings/s: bytes written in an hour', `${(hour.written / 1e6).toFixed(2)} MB`],
    ['… bytes a reading, all included', (hour.written / hour.readings).toFixed(2)],
  ];
  return `${table(['what', 'seen'], facts)}\n\n${memoryTable(idle, loaded)}`;
}

async function usage(ledge: Appliance): Promise<Usage[]> {
  const services = await ledge.api<ServiceView[]>('GET', '/api/server/services');
  return Promise.all(services.map(async ({ name, pid }) => ({ name, memory: pid === undefined ? undefined : await memoryOf(pid) })));
}

function memoryTable(idle: readonly Usage[], loaded: readonly Usage[]): string {
  const columns = (of: (memory: Memory) => number) =>
    [idle, loaded].map((usages) => new Map(usages.map(({ name, memory }) => [name, memory && of(memory)])));
  const figures = [...columns(({ rssBytes }) => rssBytes), ...columns(({ pssBytes }) => pssBytes)];
  const cell = (bytes: number | undefined) => (bytes === undefined ? '-' : mebibytes(bytes));
  const rows = idle.map(({ name }) => [name, ...figures.map((figure) => cell(figure.get(name)))]);
  const sums = figures.map((figure) => cell([...figure.values()].reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)));
  return table(['memory, MiB', 'RSS idle', 'RSS loaded', 'PSS idle', 'PSS loaded'], [...rows, ['sum', ...sums]]);
}

/** From the time that a driver gave a value to its arrival at a reader of the event stream. */
async function thingToBrowser({ dataDir, edge, url, token }: Appliance, share: number): Promise<SseReport> {
  await mkdir(join(dataDir, 'things'), { recursive: true });
  await using browser = new Worker<SseOrder, SseReport>('sse-worker.ts');
  await browser.ask({ do: 'open', url, token, filter: `${edge}/reading/probe/#`, readers: 1, timedBy: 'reading' });
  await writeFile(join(dataDir, 'things', 'probe.yaml'), PROBE);
  await until('a reading of the probe', async () => (await browser.ask({ do: 'report' })).count > 0);
  await browser.ask({ do: 'reset' });
  await sleep(MEASURE_MS * share);
  const report = await browser.ask({ do: 'report' });
  await rm(join(dataDir, 'things', 'probe.yaml'));
  return report;
}

async function underLoad(ledge: Appliance, share: number) {
  const { dataDir, url, token, mqttPort: port } = ledge;
  await writeFile(join(dataDir, 'things', 'sensors.yaml'), sensors());
  const topic = 'bench/live';
  await ledge.api('POST', '/api/broker/users', {
    name: LOGIN.username,
    password: LOGIN.password,
    rules: [{ filter: 'bench/#', access: 'both' }],
  });
  await using browsers = new Worker<SseOrder, SseReport>('sse-worker.ts');
  await using sending = new Worker<Order, Report>('load-worker.ts');
  await browsers.ask({ do: 'open', url, token, filter: topic, readers: BROWSERS, timedBy: 'stamp' });
  await sending.ask({ do: 'publish', port, clients: 1, qos: 1, topic, ...LOGIN });
  const messages = Math.round((LIVE_PER_S * MEASURE_MS * share) / 1000);
  await sending.ask({ do: 'run', messages, ratePerS: LIVE_PER_S });
  const loaded = await usage(ledge);
  const wanted = messages * BROWSERS;
  const fanOut = await until('the last message', async () => {
    const report = await browsers.ask({ do: 'report' });
    return report.count >= wanted && report;
  }).catch(() => browsers.ask({ do: 'report' }));
  return { fanOut: { ...fanOut, wanted }, loaded };
}

/** An hour of 100 sensors by a fake clock on a real directory; the kernel counts what the process writes. */
async function recorderHour(): Promise<{ written: number; readings: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'ledge-bench-'));
  try {
    await mkdir(join(directory, 'raw'));
    const { stdout } = await promisify(execFile)(process.execPath, [DAY_CHILD, directory, '1']);
    return JSON.parse(stdout) as { written: number; readings: number };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
