import { setTimeout as sleep } from 'node:timers/promises';
import { type BrokerKind, brokerKinds, type RunningBroker } from './brokers.ts';
import type { Order, Report } from './load-worker.ts';
import type { Qos } from './mqtt-wire.ts';
import { grouped, rounded, table } from './statistics.ts';
import { Worker } from './worker.ts';

interface Scenario {
  name: string;
  publishers: number;
  subscribers: number;
  /** Messages published, all publishers together, at full speed. */
  messages: number;
  /** Messages published a second, all publishers together, where the delay is measured: far below what any broker can do. */
  pacedPerS: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: '1 → 1', publishers: 1, subscribers: 1, messages: 60_000, pacedPerS: 500 },
  { name: '1 → 100', publishers: 1, subscribers: 100, messages: 2000, pacedPerS: 20 },
  { name: '50 → 1', publishers: 50, subscribers: 1, messages: 60_000, pacedPerS: 500 },
];
const PACED_S = 4;
const TOPIC = 'bench/load';
/** Nothing more came for so long: what is missing was dropped. */
const QUIET_MS = 500;

/** Every broker side by side in every scenario, with a share of its messages (1 is all of them): messages delivered a second at full speed, and the delay of each at a gentle pace. */
export async function benchBrokers(share: number, say: (line: string) => void): Promise<string> {
  const kinds = brokerKinds();
  const rows: string[][] = [];
  for (const scenario of SCENARIOS) {
    for (const qos of [0, 1] as const) {
      for (const kind of kinds) {
        say(`${kind.name}, ${scenario.name}, QoS ${qos}`);
        rows.push([scenario.name, String(qos), kind.name, ...(await measured(kind, scenario, qos, share))]);
      }
    }
  }
  const skipped = kinds.filter(({ missing }) => missing).map(({ name, missing }) => `skipped: ${name}: ${missing}`);
  const head = ['clients', 'QoS', 'broker', 'delivered/s', 'lost %', 'p50 ms', 'p99 ms'];
  return [table(head, rows), ...skipped].join('\n\n');
}

async function measured(kind: BrokerKind, scenario: Scenario, qos: Qos, share: number): Promise<string[]> {
  if (kind.missing) return ['skipped', '-', '-', '-'];
  await using broker = await kind.start();
  const full = await run(broker, scenario, qos, { do: 'run', messages: scenario.messages * share }, false);
  const wanted = full.sent * scenario.subscribers;
  const paced = await run(
    broker,
    scenario,
    qos,
    { do: 'run', messages: scenario.pacedPerS * PACED_S * share, ratePerS: scenario.pacedPerS },
    true,
  );
  const { count, spanMs } = full.received;
  return [
    grouped((count / spanMs) * 1000),
    rounded((1 - count / wanted) * 100, 1),
    rounded(paced.received.p50Ms, 2),
    rounded(paced.received.p99Ms, 2),
  ];
}

async function run(broker: RunningBroker, { publishers, subscribers }: Scenario, qos: Qos, order: Order, timeEach: boolean) {
  const { port } = broker;
  await using receiving = new Worker<Order, Report>('load-worker.ts');
  await using sending = new Worker<Order, Report>('load-worker.ts');
  await receiving.ask({ do: 'subscribe', port, clients: subscribers, qos, topic: TOPIC, timeEach });
  await sending.ask({ do: 'publish', port, clients: publishers, qos, topic: TOPIC });
  const { count: sent } = await sending.ask(order);
  let received = await receiving.ask({ do: 'report' });
  for (let before = -1; received.count < sent * subscribers && received.count !== before; ) {
    before = received.count;
    await sleep(QUIET_MS);
    received = await receiving.ask({ do: 'report' });
  }
  return { sent, received };
}
