/**
 * One side of the load, as a process of its own so that it takes no time from the broker's. Told by {@link Order}s, tells {@link Report}s.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrokerLogin, delayMs, openClient, PUBACK, PUBLISH, PublishTemplate, puback, type Qos, stampOf } from './mqtt-wire.ts';
import { quantile } from './statistics.ts';

export type Order =
  | ({ do: 'subscribe'; clients: number; qos: Qos; topic: string; timeEach: boolean } & BrokerLogin)
  | ({ do: 'publish'; clients: number; qos: Qos; topic: string } & BrokerLogin)
  /** So many messages of all clients together, at full speed or at so many a second. */
  | { do: 'run'; messages: number; ratePerS?: number }
  | { do: 'report' };
export interface Report {
  /** Messages sent or received. */
  count: number;
  /** From when the first message was sent to when the last one came. */
  spanMs: number;
  p50Ms: number;
  p99Ms: number;
}

const BATCH = 32;
/** QoS 1 packets on their way per publisher. */
const WINDOW = 100;
const TICK_MS = 5;
const MAX_DELAYS = 500_000;

let count = 0;
let firstMs = 0;
let lastMs = 0;
const delays: number[] = [];
let publishers: Publisher[] = [];

class Publisher {
  readonly #socket: Socket;
  readonly #template: PublishTemplate;
  readonly #qos: Qos;
  #sent = 0;
  #answered = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, template: PublishTemplate, qos: Qos) {
    this.#socket = socket;
    this.#template = template;
    this.#qos = qos;
  }

  static async open(order: Extract<Order, { do: 'publish' }>, index: number): Promise<Publisher> {
    let acknowledged = () => {};
    const { socket } = await openClient(order, `bench-pub-${process.pid}-${index}`, (type) => {
      if (type === PUBACK) acknowledged();
    });
    const publisher = new Publisher(socket, new PublishTemplate(order.topic, order.qos), order.qos);
    acknowledged = () => publisher.#acknowledged();
    return publisher;
  }

  send(messages: number): boolean {
    const flows = this.#socket.write(this.#template.stamped(messages, this.#sent + 1));
    this.#sent += messages;
    count += messages;
    return flows;
  }

  /** As fast as the broker takes them: QoS 0 until the socket is full, QoS 1 with a window. */
  async flood(messages: number): Promise<void> {
    while (this.#sent < messages) {
      const free = this.#qos === 0 ? BATCH : WINDOW - (this.#sent - this.#answered);
      const next = Math.min(BATCH, free, messages - this.#sent);
      if (next > 0 && !this.send(next)) await once(this.#socket, 'drain');
      else if (next === 0) await this.#answer();
      else await new Promise(setImmediate);
    }
  }

  #acknowledged(): void {
    this.#answered++;
    this.#wake?.();
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

async function subscriber(index: number, order: Extract<Order, { do: 'subscribe' }>): Promise<void> {
  const { socket, subscribe } = await openClient(order, `bench-sub-${process.pid}-${index}`, (type, packetQos, bytes, start, end) => {
    if (type !== PUBLISH) return;
    lastMs = performance.now();
    if (count++ === 0) firstMs = lastMs - delayMs(stampOf(bytes, end));
    if (order.timeEach && delays.length < MAX_DELAYS) delays.push(delayMs(stampOf(bytes, end)));
    if (packetQos > 0) socket.write(puback(bytes, start));
  });
  await subscribe(order.topic, order.qos);
}

async function paced(messages: number, ratePerS: number): Promise<void> {
  const startMs = performance.now();
  while (count < messages) {
    const due = Math.min(messages, ((performance.now() - startMs) * ratePerS) / 1000);
    while (count < due) publishers[count % publishers.length]?.send(1);
    await sleep(TICK_MS);
  }
}

async function obey(order: Order): Promise<Report> {
  switch (order.do) {
    case 'subscribe':
      for (let i = 0; i < order.clients; i++) await subscriber(i, order);
      break;
    case 'publish':
      publishers = await Promise.all(Array.from({ length: order.clients }, (_, i) => Publisher.open(order, i)));
      break;
    case 'run': {
      const { messages, ratePerS } = order;
      if (ratePerS === undefined) await Promise.all(publishers.map((publisher) => publisher.flood(messages / publishers.length)));
      else await paced(messages, ratePerS);
      break;
    }
    case 'report':
      break;
  }
  return { count, spanMs: lastMs - firstMs, p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99) };
}

process.on('message', (order: Order) => {
  obey(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
