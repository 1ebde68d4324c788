/** Runs in a SharedWorker: one event stream for all tabs of a browser. What was said is kept, so that the next tab sees it at once. */
import { parseTopic } from '@ledge/contract/topics.ts';
import { type Arrived, FrameBatch } from './frame-batch.ts';
import type { FromTab, ToTab } from './shared-stream.ts';
import { type Connection, Stream, type StreamPorts } from './stream.ts';

/** Often enough for the eye; several values of one topic are one within it. */
const BATCH_MS = 40;
/** Timers of hidden tabs run once a minute; who is silent for longer is closed. */
const GONE_AFTER_MS = 200_000;

const after = (ms: number, task: () => void) => {
  const timer = setTimeout(task, ms);
  return () => clearTimeout(timer);
};
const ports: StreamPorts = {
  fetch: (input, init) => fetch(input, init),
  after,
  random: () => Math.random(),
  onOnline(listener) {
    addEventListener('online', listener);
    return () => removeEventListener('online', listener);
  },
};

class Shared {
  readonly #tabs = new Map<MessagePort, number>();
  readonly #last = new Map<string, Arrived>();
  readonly #live = new Set<string>();
  readonly #batch = new FrameBatch(
    (task) => after(BATCH_MS, task),
    (messages) => this.#say({ kind: 'messages', messages }),
  );
  #stream: Stream | undefined;
  #connection: Connection = 'connecting';

  take(tab: MessagePort, message: FromTab): void {
    this.#tabs.set(tab, Date.now());
    if (message.kind === 'bye') this.#forget(tab);
    if (message.kind !== 'hello') return;
    for (const [other, seenMs] of this.#tabs) if (Date.now() - seenMs > GONE_AFTER_MS) this.#forget(other);
    if (!this.#stream) this.#open(message.filters);
    const tell = (answer: ToTab) => tab.postMessage(answer);
    tell({ kind: 'connection', connection: this.#connection });
    tell({ kind: 'snapshot' });
    this.#batch.flush();
    tell({ kind: 'messages', messages: [...this.#last.values()] });
    for (const filter of this.#live) tell({ kind: 'live', filter });
  }

  #open(filters: readonly string[]): void {
    this.#stream = new Stream(filters, ports, {
      onMessage: (message) => {
        const { topic, payload } = message;
        if (payload === '') this.#last.delete(topic);
        else if (parseTopic(topic).kind !== 'event') this.#last.set(topic, { topic, payload, retained: true });
        this.#batch.add(message);
      },
      onConnection: (connection) => {
        this.#batch.flush();
        this.#connection = connection;
        this.#say({ kind: 'connection', connection });
      },
      onSnapshot: () => {
        this.#batch.flush();
        this.#last.clear();
        this.#live.clear();
        this.#say({ kind: 'snapshot' });
      },
      onLive: (filter) => {
        this.#batch.flush();
        this.#live.add(filter);
        this.#say({ kind: 'live', filter });
      },
      onSessionEnd: () => {
        this.#close();
        this.#say({ kind: 'session-end' });
        this.#tabs.clear();
      },
    });
    this.#stream.start();
  }

  #close(): void {
    this.#stream?.stop();
    this.#stream = undefined;
    this.#batch.stop();
    this.#last.clear();
    this.#live.clear();
    this.#connection = 'connecting';
  }

  #forget(tab: MessagePort): void {
    this.#tabs.delete(tab);
    if (this.#tabs.size === 0) this.#close();
  }

  #say(message: ToTab): void {
    for (const tab of this.#tabs.keys()) tab.postMessage(message);
  }
}

const shared = new Shared();
addEventListener('connect', (event) => {
  const [tab] = (event as MessageEvent).ports;
  if (!tab) return;
  tab.onmessage = ({ data }: MessageEvent<FromTab>) => shared.take(tab, data);
});
