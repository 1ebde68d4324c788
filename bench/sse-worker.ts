/** Many browsers on the event stream, in a process of their own. Told by {@link SseOrder}s, tells {@link SseReport}s. */
import { get, type IncomingMessage } from 'node:http';
import { delayMs } from './mqtt-wire.ts';
import { quantile } from './statistics.ts';

export type SseOrder =
  | { do: 'open'; url: string; token: string; filter: string; readers: number; timedBy: 'stamp' | 'reading' }
  /** Forgets what came so far. */
  | { do: 'reset' }
  | { do: 'report' };
export interface SseReport {
  count: number;
  p50Ms: number;
  p99Ms: number;
}

const DATA = 'data:';
let count = 0;
let delays: number[] = [];

const DELAY = {
  stamp: (payload: string) => delayMs(payload),
  /** The `time` that the device gave its reading; both clocks are this machine's. */
  reading: (payload: string) => Date.now() - Date.parse((JSON.parse(payload) as { time: string }).time),
};

async function open({ url, token, filter, timedBy }: Extract<SseOrder, { do: 'open' }>): Promise<void> {
  const address = `${url}/api/sse/stream?topic=${encodeURIComponent(filter)}`;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(address, { agent: false, headers: { authorization: `Bearer ${token}` } }, resolve).once('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`);
  response.setEncoding('utf8');
  let rest = '';
  response.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith(DATA)) continue;
      const { payload } = JSON.parse(line.slice(DATA.length)) as { payload?: string };
      if (payload === undefined) continue;
      count++;
      delays.push(DELAY[timedBy](payload));
    }
  });
}

async function obey(order: SseOrder): Promise<SseReport> {
  if (order.do === 'open') await Promise.all(Array.from({ length: order.readers }, () => open(order)));
  if (order.do === 'reset') {
    count = 0;
    delays = [];
  }
  return { count, p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99) };
}

process.on('message', (order: SseOrder) => {
  obey(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
