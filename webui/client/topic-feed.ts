import type { StreamMessage } from '@ledge/contract';
import { type Signal, signal } from '@preact/signals';
import { type Connection, Stream, type StreamPorts } from './stream.ts';
import { TopicTree } from './topic-tree.ts';

export interface FeedPorts extends StreamPorts {
  onFrame: (task: () => void) => () => void;
  /** The box's time, in ms. */
  boxNow: () => number;
  onSessionEnd: () => void;
}

/** Nobody reads faster, and thousands of messages a second are one round of work. */
const SHOWN_EVERY_MS = 150;
const RATE_OVER_MS = 1000;

/** Listens to a filter with a stream of its own, and keeps what comes as a tree. */
export class TopicFeed {
  readonly filter: string;
  readonly tree = new TopicTree();
  /** Counts up when the tree has changed. */
  readonly version: Signal<number> = signal(0);
  readonly connection: Signal<Connection> = signal('connecting');
  /** The box listens, and has said all that it kept: silence is silence now. */
  readonly listening: Signal<boolean> = signal(false);
  readonly messagesPerS: Signal<number> = signal(0);
  readonly #ports: FeedPorts;
  readonly #stream: Stream;
  #waiting: StreamMessage[] = [];
  #cancel: (() => void) | undefined;
  #rateSinceMs: number;
  #rateMessages = 0;
  #stopRate: () => void = () => {};

  constructor(filter: string, ports: FeedPorts) {
    this.filter = filter;
    this.#ports = ports;
    this.#rateSinceMs = ports.boxNow();
    this.#stream = new Stream([filter], ports, {
      onMessage: (message) => {
        this.#waiting.push(message);
        this.#cancel ??= ports.after(SHOWN_EVERY_MS, () => {
          this.#cancel = ports.onFrame(() => this.#show());
        });
      },
      onConnection: (connection) => {
        this.connection.value = connection;
      },
      onSnapshot: () => {
        this.listening.value = false;
      },
      onLive: () => {
        this.#show();
        this.listening.value = true;
      },
      onSessionEnd: ports.onSessionEnd,
    });
  }

  start(): void {
    this.#stream.start();
    this.#measure();
  }

  stop(): void {
    this.#stream.stop();
    this.#cancel?.();
    this.#stopRate();
    this.#waiting = [];
  }

  /** Only who publishes knows at once that a value is kept. */
  markRetained(topic: string): void {
    const node = this.tree.find(topic);
    if (!node?.value) return;
    node.value = { ...node.value, retained: true };
    this.version.value += 1;
  }

  #show(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const messages = this.#waiting;
    this.#waiting = [];
    const atMs = this.#ports.boxNow();
    for (const message of messages) this.tree.take(message, atMs);
    this.#rateMessages += messages.length;
    this.version.value += 1;
  }

  #measure(): void {
    this.#stopRate = this.#ports.after(RATE_OVER_MS, () => {
      const nowMs = this.#ports.boxNow();
      const spanS = Math.max(0.1, (nowMs - this.#rateSinceMs) / 1000);
      this.messagesPerS.value = Math.round(this.#rateMessages / spanS);
      this.#rateMessages = 0;
      this.#rateSinceMs = nowMs;
      this.#measure();
    });
  }
}
