import { Problem, topicMatches } from '@ledge/contract';
import type { Bus, Message, Payload, PublishOptions } from '@ledge/kit';

/** A broker and its only client in memory: retained values, matching, and a plug to pull. */
export interface MemoryBus extends Bus {
  /** Everything that was published, in order. */
  readonly said: { topic: string; payload: string; qos: 0 | 1 | 2; retain: boolean }[];
  /** Retained values that the broker holds now. */
  readonly held: ReadonlyMap<string, string>;
  /** The broker is there (again). */
  connect(): void;
  /** The broker is away. */
  disconnect(reason?: string): void;
  /** A message from somebody else. With `keep` the broker holds it for those who subscribe later; an empty one clears it. */
  receive(topic: string, payload: Payload, options?: { retained?: boolean; keep?: boolean; qos?: 0 | 1 | 2 }): void;
  /** Makes publishing fail as a broken connection does, or work again. */
  failPublish(error: Error | undefined): void;
}

const asBuffer = (payload: Payload): Buffer => {
  if (typeof payload === 'string') return Buffer.from(payload);
  return payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload));
};

export function memoryBus({ connected = true } = {}): MemoryBus {
  const retained = new Map<string, Payload>();
  const held = new Map<string, string>();
  const said: MemoryBus['said'] = [];
  const subscriptions = new Set<{ filter: string; handler(message: Message): void }>();
  const connectListeners = new Set<() => void>();
  const closeListeners = new Set<(reason: string) => void>();
  let up = connected;
  let failure: Error | undefined;

  const deliver = (topic: string, payload: Buffer, isRetained: boolean, qos: 0 | 1 | 2) => {
    for (const { filter, handler } of [...subscriptions]) {
      if (topicMatches(filter, topic)) handler({ topic, payload, retained: isRetained, qos });
    }
  };
  const hold = (topic: string, payload: Buffer) => {
    if (payload.length === 0) held.delete(topic);
    else held.set(topic, payload.toString());
  };
  const say = (topic: string, payload: Payload, qos: 0 | 1 | 2, retain: boolean) => {
    const bytes = asBuffer(payload);
    said.push({ topic, payload: bytes.toString(), qos, retain });
    if (retain) hold(topic, bytes);
    deliver(topic, bytes, false, qos);
  };

  return {
    said,
    held,
    get connected() {
      return up;
    },
    async publish(topic, payload, { qos = 0, retain = false }: PublishOptions = {}) {
      if (!up) throw new Problem('bus-away', `${topic} was not said: the broker is away`);
      if (failure) throw failure;
      say(topic, payload, qos, retain);
    },
    retain(topic, payload) {
      retained.set(topic, payload);
      if (up) say(topic, payload, 1, true);
    },
    forget(topic) {
      retained.delete(topic);
      if (up) say(topic, '', 1, true);
    },
    async subscribe(filter, handler) {
      const subscription = { filter, handler };
      subscriptions.add(subscription);
      if (up) {
        for (const [topic, payload] of held) {
          if (topicMatches(filter, topic)) handler({ topic, payload: Buffer.from(payload), retained: true, qos: 1 });
        }
      }
      return async () => {
        subscriptions.delete(subscription);
      };
    },
    onConnect(listener) {
      connectListeners.add(listener);
      if (up) listener();
      return () => connectListeners.delete(listener);
    },
    onClose(listener) {
      closeListeners.add(listener);
      return () => closeListeners.delete(listener);
    },
    connect() {
      up = true;
      for (const [topic, payload] of held) deliver(topic, Buffer.from(payload), true, 1);
      for (const [topic, payload] of retained) say(topic, payload, 1, true);
      for (const listener of [...connectListeners]) listener();
    },
    disconnect(reason = 'the connection broke') {
      up = false;
      for (const listener of [...closeListeners]) listener(reason);
    },
    receive(topic, payload, { retained: isRetained = false, keep = false, qos = 1 } = {}) {
      if (keep) hold(topic, asBuffer(payload));
      deliver(topic, asBuffer(payload), isRetained, qos);
    },
    failPublish(error) {
      failure = error;
    },
  };
}
