import type { Arrived } from './frame-batch.ts';
import type { Connection, StreamListener } from './stream.ts';

/** What a tab says to the worker that holds the stream, and what it hears. */
export type FromTab = { kind: 'hello'; filters: readonly string[] } | { kind: 'alive' } | { kind: 'bye' };
export type ToTab =
  | { kind: 'messages'; messages: readonly Arrived[] }
  | { kind: 'connection'; connection: Connection }
  | { kind: 'snapshot' }
  | { kind: 'live'; filter: string }
  | { kind: 'session-end' };

const ALIVE_EVERY_MS = 30_000;

/** This tab's share of the one stream that all tabs of the browser have. Same use as {@link Stream}. */
export class SharedStream {
  readonly #filters: readonly string[];
  readonly #listener: StreamListener;
  readonly #connect: () => MessagePort;
  #end: () => void = () => {};

  /** @param connect opens the way to the worker */
  constructor(filters: readonly string[], connect: () => MessagePort, listener: StreamListener) {
    this.#filters = filters;
    this.#connect = connect;
    this.#listener = listener;
  }

  start(): void {
    const port = this.#connect();
    const say = (message: FromTab) => port.postMessage(message);
    const hello = () => say({ kind: 'hello', filters: this.#filters });
    const bye = () => say({ kind: 'bye' });
    // a page that the browser kept aside and shows again has missed everything in between
    const shown = (event: PageTransitionEvent) => event.persisted && hello();
    const alive = setInterval(() => say({ kind: 'alive' }), ALIVE_EVERY_MS);
    addEventListener('pagehide', bye);
    addEventListener('pageshow', shown);
    port.onmessage = ({ data }: MessageEvent<ToTab>) => this.#take(data);
    hello();
    this.#end = () => {
      clearInterval(alive);
      removeEventListener('pagehide', bye);
      removeEventListener('pageshow', shown);
      port.onmessage = null;
      bye();
      port.close();
    };
  }

  stop(): void {
    this.#end();
    this.#end = () => {};
  }

  #take(message: ToTab): void {
    const { onMessage, onConnection, onSnapshot, onLive, onSessionEnd } = this.#listener;
    switch (message.kind) {
      case 'messages':
        for (const { topic, payload, retained } of message.messages) onMessage({ topic, payload, ...(retained ? { retained } : {}) });
        break;
      case 'connection':
        onConnection(message.connection);
        break;
      case 'snapshot':
        onSnapshot();
        break;
      case 'live':
        onLive(message.filter);
        break;
      case 'session-end':
        onSessionEnd();
        break;
    }
  }
}
