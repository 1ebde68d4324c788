import type { STREAM_EVENTS, StreamMessage } from '@ledge/contract';
import { EventParser, type StreamedEvent } from './event-parser.ts';
import { problemOf } from './problem.ts';

/** How the page is connected: `live`; `bus-away` when the box answers but its broker does not; `offline` when nothing comes. */
export type Connection = 'connecting' | 'live' | 'bus-away' | 'offline';

export interface StreamPorts {
  fetch: typeof fetch;
  after: (ms: number, task: () => void) => () => void;
  random: () => number;
  /** Calls back when the network says it is there again; returns a way to stop listening. */
  onOnline: (listener: () => void) => () => void;
}
export interface StreamListener {
  onMessage: (message: StreamMessage) => void;
  onConnection: (connection: Connection) => void;
  /** All retained values of a filter begin to be said anew. */
  onSnapshot: () => void;
  /** They have been said. */
  onLive: (filter: string) => void;
  onSessionEnd: () => void;
}

/** The box says something every 15 s; twice that and a bit without a byte is a dead line. */
export const SILENCE_MS = 35_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/** One event stream for the whole page: comes back by itself, takes up where it was, and says how it is. */
export class Stream {
  readonly #filters: readonly string[];
  readonly #ports: StreamPorts;
  readonly #listener: StreamListener;
  #stopped = new AbortController();
  #lastId: string | undefined;
  #attempt = 0;

  constructor(filters: readonly string[], ports: StreamPorts, listener: StreamListener) {
    this.#filters = filters;
    this.#ports = ports;
    this.#listener = listener;
  }

  start(): void {
    this.#stopped = new AbortController();
    this.#listener.onConnection('connecting');
    void this.#run(this.#stopped.signal);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      const refused = await this.#read(stopped).catch(() => undefined);
      if (stopped.aborted) return;
      if (refused === 'not-signed-in') return this.#listener.onSessionEnd();
      this.#listener.onConnection('offline');
      await this.#pause(stopped);
    }
  }

  /** One connection, until it ends. Returns the code of a refusal. */
  async #read(stopped: AbortSignal): Promise<string | undefined> {
    const line = new AbortController();
    const breakOff = () => line.abort();
    stopped.addEventListener('abort', breakOff, { once: true });
    let cancelSilence = this.#ports.after(SILENCE_MS, breakOff);
    try {
      const search = new URLSearchParams(this.#filters.map((filter) => ['topic', filter]));
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (this.#lastId !== undefined) headers['Last-Event-ID'] = this.#lastId;
      const options: RequestInit = { headers, cache: 'no-store', credentials: 'same-origin', signal: line.signal };
      const response = await this.#ports.fetch(`/api/sse/stream?${search}`, options);
      if (!response.ok || !response.body) return (await problemOf(response)).code;
      const parser = new EventParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      if (this.#lastId === undefined) this.#listener.onSnapshot();
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        cancelSilence();
        cancelSilence = this.#ports.after(SILENCE_MS, breakOff);
        for (const event of parser.feed(decoder.decode(chunk.value, { stream: true }))) this.#take(event, breakOff);
      }
      return undefined;
    } finally {
      cancelSilence();
      stopped.removeEventListener('abort', breakOff);
    }
  }

  #take({ event, data, id }: StreamedEvent, breakOff: () => void): void {
    if (id !== undefined) this.#lastId = id;
    const content = JSON.parse(data) as unknown;
    switch (event as keyof typeof STREAM_EVENTS) {
      case 'message':
        this.#listener.onMessage(content as StreamMessage);
        break;
      case 'bus': {
        const { connected } = content as { connected: boolean };
        this.#attempt = 0;
        this.#listener.onConnection(connected ? 'live' : 'bus-away');
        break;
      }
      case 'gap':
        this.#listener.onSnapshot();
        break;
      case 'live':
        this.#listener.onLive((content as { topic: string }).topic);
        break;
      case 'dropped':
        // values may be stale now; only a fresh start makes all of them right
        this.#lastId = undefined;
        breakOff();
        break;
    }
  }

  /** Waits longer after each failure, with chance in it, and not at all when the network comes back. */
  #pause(stopped: AbortSignal): Promise<void> {
    const full = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    return new Promise((resolve) => {
      const go = () => {
        cancel();
        stopListening();
        stopped.removeEventListener('abort', go);
        resolve();
      };
      const cancel = this.#ports.after(full / 2 + (this.#ports.random() * full) / 2, go);
      const stopListening = this.#ports.onOnline(go);
      stopped.addEventListener('abort', go, { once: true });
    });
  }
}
