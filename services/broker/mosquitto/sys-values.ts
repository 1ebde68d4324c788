import type { Levels, Traffic } from '../counters.ts';
import type { Message } from '../message.ts';

export const SYS = '$SYS/broker/';

/** Counters that mosquitto says itself, every `sys_interval`, when they change; not its heap, which 2.0.21 and older miscount. */
export class SysValues {
  readonly #values = new Map<string, number>();
  readonly #traffic: Traffic;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  take({ topic, payload }: Message): void {
    const value = Number.parseFloat(payload.toString());
    if (!Number.isFinite(value)) return;
    const name = topic.slice(SYS.length);
    this.#values.set(name, value);
    const key = TRAFFIC[name];
    if (key) this.#traffic[key] = value;
  }

  levels(): Levels {
    const value = (name: string) => this.#values.get(name) ?? 0;
    return {
      clientsConnected: value('clients/connected'),
      clientsDisconnected: value('clients/disconnected'),
      clientsMaximum: value('clients/maximum'),
      clientsExpired: value('clients/expired'),
      subscriptions: value('subscriptions/count'),
      retained: value('retained messages/count'),
      storedMessages: value('store/messages/count'),
      storedBytes: value('store/messages/bytes'),
    };
  }

  /** It begins to count anew. */
  clear(): void {
    this.#values.clear();
  }
}

const TRAFFIC: Readonly<Record<string, keyof Traffic>> = {
  'messages/received': 'messagesReceived',
  'messages/sent': 'messagesSent',
  'publish/messages/received': 'publishReceived',
  'publish/messages/sent': 'publishSent',
  'publish/messages/dropped': 'publishDropped',
  'publish/bytes/received': 'publishBytesReceived',
  'publish/bytes/sent': 'publishBytesSent',
  'bytes/received': 'bytesReceived',
  'bytes/sent': 'bytesSent',
};
