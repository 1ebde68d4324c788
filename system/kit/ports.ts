/** Time as a port, so that tests move it. */
export interface Clock {
  /** Milliseconds since 1970, wall clock. */
  now(): number;
  /** Milliseconds that only go forward. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. Does not keep the process alive by itself when `unref`. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `task` every `ms` until the returned function is called. The first call comes after `ms`. */
  every(ms: number, task: () => void): () => void;
  /** Calls `task` once after `ms` unless the returned function is called first. */
  after(ms: number, task: () => void): () => void;
}

/** A number by chance, 0 ≤ n < 1. */
export type Random = () => number;

/** A message as the broker delivered it. */
export interface Message {
  /** Whole, with the box's id in front. */
  topic: string;
  /** Bytes; `payload.toString()` for text. */
  payload: Buffer;
  /** The broker held it: it was said some time before. */
  retained: boolean;
  /** Quality of service: 0 at most once, 1 at least once, 2 exactly once. */
  qos: 0 | 1 | 2;
}
/** How a message is said. */
export interface PublishOptions {
  /** Quality of service: 0 at most once (default), 1 at least once, 2 exactly once. */
  qos?: 0 | 1 | 2;
  /** The broker holds it for those who subscribe later; default: no. */
  retain?: boolean;
}
/** Text and bytes go as they are, anything else as JSON. */
export type Payload = string | Uint8Array | object;

/**
 * The message bus (MQTT) as a service sees it. A service of a maker's own may subscribe to everything below `<edge>/`, and publish below
 * `<edge>/5/` (things) and `<edge>/reading/`.
 */
export interface Bus {
  /** Is the broker there now? */
  readonly connected: boolean;
  /** Resolves when the broker has it (QoS 1 and 2: acknowledged). Throws `bus-away` at once when there is no connection; nothing is queued. */
  publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void>;
  /** Says a retained value now if the broker is there, and again at every connect, until {@link forget}. QoS 1. */
  retain(topic: string, payload: Payload): void;
  /** Clears a retained value at the broker and stops saying it. */
  forget(topic: string): void;
  /**
   * Subscribes now and again at every connect; `qos` is 1 unless said otherwise. What a handler throws is logged. The returned function unsubscribes.
   * @throws Problem `not-allowed` when the broker refuses the filter
   */
  subscribe(filter: string, handler: (message: Message) => void, options?: { qos?: 0 | 1 | 2 }): Promise<() => Promise<void>>;
  /** Called after each connect, when what is retained has been said and subscriptions are made; at once if that is now. */
  onConnect(listener: () => void): () => void;
  /** Called with the reason each time the connection is lost. The returned function ends it, as with `onConnect`. */
  onClose(listener: (reason: string) => void): () => void;
}

/** A bus together with its connection, for whoever opens it. */
export interface OwnBus extends Bus {
  start(): void;
  /** Says `farewell` retained in the place of the will, and disconnects. */
  stop(farewell?: Payload): Promise<void>;
}

export type { Logger } from 'pino';
