/**
 * Run as a process of its own: SSE readers and MQTT clients that count. Argument: JSON {@link LoadPlan}. Tells `{ ready }`, then {@link LoadResult}.
 * Messages are `load/<client>` with payload `<seq> <ms since the process started>`, so that a hole and a delay are both seen.
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { MqttSocket } from './mqtt-socket.ts';

export interface LoadPlan {
  url: string;
  token: string;
  mqttPort: number;
  username: string;
  password: string;
  mqttClients: number;
  messagesPerSecond: number;
  sseReaders: number;
  /** So many of the clients' topics each SSE reader follows. */
  topicsPerReader: number;
  durationMs: number;
  /** One reader of each kind that never reads. */
  frozen: boolean;
}
export interface LoadResult {
  sent: number;
  mqttReceived: number;
  sseReceived: number;
  mqttLost: number;
  sseLost: number;
  mqttDelayMs: { p50: number; p99: number };
  sseDelayMs: { p50: number; p99: number };
  dropEvents: number;
}

const TICK_MS = 20;
const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
const login = { port: plan.mqttPort, username: plan.username, password: plan.password };
const percentiles = (values: number[]) => {
  values.sort((a, b) => a - b);
  return { p50: values[Math.floor(values.length * 0.5)] ?? 0, p99: values[Math.floor(values.length * 0.99)] ?? 0 };
};
/** Every so many messages one is timed: enough for percentiles, cheap for the generator. */
const TIMED = 16;

class Counter {
  readonly #nextSeq = new Map<string, number>();
  readonly delaysMs: number[] = [];
  received = 0;
  lost = 0;

  take(topic: string, payload: string): void {
    this.received++;
    const space = payload.indexOf(' ');
    const seq = Number(payload.slice(0, space));
    this.lost += Math.abs(seq - (this.#nextSeq.get(topic) ?? 0));
    this.#nextSeq.set(topic, seq + 1);
    if (this.received % TIMED === 0) this.delaysMs.push(performance.now() - Number(payload.slice(space + 1)));
  }
}

const mqttCounters: Counter[] = [];
const sseCounters: Counter[] = [];
let dropEvents = 0;

async function openSse(filters: readonly string[]): Promise<IncomingMessage> {
  const query = new URLSearchParams(filters.map((filter): [string, string] => ['topic', filter]));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${plan.url}/api/sse/stream?${query}`, { agent: false, headers: { authorization: `Bearer ${plan.token}` } }, resolve).once(
      'error',
      reject,
    );
  });
  if (response.statusCode !== 200) throw new Error(`stream answered ${response.statusCode}`);
  return response;
}

async function sseReader(index: number): Promise<void> {
  const counter = new Counter();
  sseCounters.push(counter);
  const response = await openSse(Array.from({ length: plan.topicsPerReader }, (_, i) => `load/${(index + i) % plan.mqttClients}`));
  let rest = '';
  response.setEncoding('latin1');
  response.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data:{"topic":"load/') || line.startsWith('data: {"topic":"load/')) {
        const { topic, payload } = JSON.parse(line.slice(line.indexOf('{'))) as { topic: string; payload?: string };
        if (payload !== undefined) counter.take(topic, payload); // the event `live` has none
      } else if (line.startsWith('event:') && line.includes('dropped')) dropEvents++;
    }
  });
}

const publishers = await Promise.all(
  Array.from({ length: plan.mqttClients }, (_, i) => MqttSocket.open({ ...login, clientId: `load-${i}` })),
);
for (const [index, client] of publishers.entries()) {
  const counter = new Counter();
  mqttCounters.push(counter);
  await client.subscribe(`load/${(index + 1) % plan.mqttClients}`);
  client.onPublish((topic, payload) => counter.take(topic, payload.toString('latin1')));
}
await Promise.all(Array.from({ length: plan.sseReaders }, (_, i) => sseReader(i)));
if (plan.frozen) {
  const frozen = await MqttSocket.open({ ...login, clientId: 'frozen' });
  await frozen.subscribe('load/#');
  frozen.socket.pause();
  (await openSse(['load/#'])).pause();
}
process.send?.({ ready: true });
await once(process, 'message');

let sent = 0;
const seqs = publishers.map(() => 0);
const startMs = performance.now();
while (performance.now() - startMs < plan.durationMs) {
  const due = Math.floor(((performance.now() - startMs) * plan.messagesPerSecond) / 1000);
  for (; sent < due; sent++) {
    const index = sent % publishers.length;
    const seq = seqs[index] ?? 0;
    seqs[index] = seq + 1;
    publishers[index]?.socket.write(MqttSocket.publishBytes(`load/${index}`, `${seq} ${performance.now()}`));
  }
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
const wanted = (counters: Counter[], count: number) => counters.reduce((sum, counter) => sum + counter.received, 0) >= count;
const ssePerMessage = (plan.sseReaders * plan.topicsPerReader) / plan.mqttClients;
const patienceMs = performance.now() + 5000;
while (performance.now() < patienceMs && !(wanted(mqttCounters, sent) && wanted(sseCounters, sent * ssePerMessage))) {
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
const received = (counters: Counter[]) => counters.reduce((sum, counter) => sum + counter.received, 0);
const holes = (counters: Counter[]) => counters.reduce((sum, counter) => sum + counter.lost, 0);
const result: LoadResult = {
  sent,
  mqttReceived: received(mqttCounters),
  sseReceived: received(sseCounters),
  mqttLost: Math.max(holes(mqttCounters), sent - received(mqttCounters)),
  sseLost: Math.max(holes(sseCounters), sent * ssePerMessage - received(sseCounters)),
  mqttDelayMs: percentiles(mqttCounters.flatMap((counter) => counter.delaysMs)),
  sseDelayMs: percentiles(sseCounters.flatMap((counter) => counter.delaysMs)),
  dropEvents,
};
process.send?.(result);
process.exit(0);
