import type { StreamMessage } from '@ledge/contract';

export interface Arrived {
  topic: string;
  payload: string;
  retained: boolean;
}

/**
 * Collects messages and hands them over once per drawn frame. Of several values of one topic only the last is kept: nobody
 * could see the others, and the page has the same work however fast values come.
 */
export class FrameBatch {
  readonly #onFrame: (task: () => void) => () => void;
  readonly #apply: (messages: readonly Arrived[]) => void;
  #waiting = new Map<string, Arrived>();
  #cancel: (() => void) | undefined;

  constructor(onFrame: (task: () => void) => () => void, apply: (messages: readonly Arrived[]) => void) {
    this.#onFrame = onFrame;
    this.#apply = apply;
  }

  add({ topic, payload, base64, retained }: StreamMessage): void {
    if (base64) return; // no topic of ours carries bytes
    this.#waiting.delete(topic);
    this.#waiting.set(topic, { topic, payload, retained: retained === true });
    this.#cancel ??= this.#onFrame(() => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const messages = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (messages.length > 0) this.#apply(messages);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting.clear();
  }
}
