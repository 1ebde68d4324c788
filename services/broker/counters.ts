import type { Clock } from '@ledge/kit';

/** What the engine counts while it works. */
export class Traffic {
  messagesReceived = 0;
  messagesSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishDropped = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** Connections that were accepted, whether or not they became clients. */
  sockets = 0;
  /** Clients that were let in. */
  connections = 0;
  refused = 0;
  /** Times that a client was held back or cut off by a limit. */
  limited = 0;
}

/** What there is now. */
export interface Levels {
  clientsConnected: number;
  clientsDisconnected: number;
  clientsMaximum: number;
  clientsExpired: number;
  subscriptions: number;
  retained: number;
  storedMessages: number;
  storedBytes: number;
  /** Undefined where the engine does not tell it. */
  queuedBytes?: number;
  /** Bytes; undefined where the engine does not tell them, or miscounts. */
  heap?: { current: number; maximum: number };
}

/** `load/` counters of mosquitto: name and what it is taken from. */
const LOADS: readonly (readonly [name: string, key: keyof Traffic])[] = [
  ['messages/received', 'messagesReceived'],
  ['messages/sent', 'messagesSent'],
  ['publish/received', 'publishReceived'],
  ['publish/sent', 'publishSent'],
  ['publish/dropped', 'publishDropped'],
  ['bytes/received', 'bytesReceived'],
  ['bytes/sent', 'bytesSent'],
  ['sockets', 'sockets'],
  ['connections', 'connections'],
];
const MINUTES = [1, 5, 15] as const;

/** Moving averages per minute as mosquitto takes them (`sys_tree.c`, `calc_load`). */
export class Loads {
  readonly #traffic: Traffic;
  readonly #clock: Clock;
  #atMs: number;
  #before: Map<string, number>;
  readonly #loads = new Map<string, number>();

  constructor(traffic: Traffic, clock: Clock) {
    this.#traffic = traffic;
    this.#clock = clock;
    this.#atMs = clock.monotonic();
    this.#before = this.#snapshot();
  }

  #snapshot = () => new Map(LOADS.map(([name, key]) => [name, this.#traffic[key]]));

  /** Takes the time since the last call into account. */
  update(): void {
    const nowMs = this.#clock.monotonic();
    const intervalS = (nowMs - this.#atMs) / 1000;
    if (intervalS <= 0) return;
    const now = this.#snapshot();
    for (const [name, count] of now) {
      const more = Math.max(0, count - (this.#before.get(name) ?? 0)); // a mosquitto that was started anew begins at 0
      const perMinute = (more * 60) / intervalS;
      for (const minutes of MINUTES) {
        const key = `load/${name}/${minutes}min`;
        const weight = Math.exp(-intervalS / (60 * minutes));
        this.#loads.set(key, perMinute + weight * ((this.#loads.get(key) ?? 0) - perMinute));
      }
    }
    this.#before = now;
    this.#atMs = nowMs;
  }

  entries(): [string, number][] {
    return [...this.#loads].map(([name, load]) => [name, Math.round(load * 100) / 100]);
  }
}

/** All counters by the names that mosquitto gives them below `$SYS/broker/`. */
export function sysCounters(
  version: string,
  uptimeS: number,
  t: Traffic,
  l: Levels,
  loads: readonly [string, number][],
): Record<string, number | string> {
  return {
    version,
    uptime: `${Math.floor(uptimeS)} seconds`,
    'clients/connected': l.clientsConnected,
    'clients/active': l.clientsConnected,
    'clients/disconnected': l.clientsDisconnected,
    'clients/inactive': l.clientsDisconnected,
    'clients/total': l.clientsConnected + l.clientsDisconnected,
    'clients/maximum': l.clientsMaximum,
    'clients/expired': l.clientsExpired,
    'messages/received': t.messagesReceived,
    'messages/sent': t.messagesSent,
    'messages/stored': l.storedMessages,
    'store/messages/count': l.storedMessages,
    'store/messages/bytes': l.storedBytes,
    'publish/messages/received': t.publishReceived,
    'publish/messages/sent': t.publishSent,
    'publish/messages/dropped': t.publishDropped,
    'publish/bytes/received': t.publishBytesReceived,
    'publish/bytes/sent': t.publishBytesSent,
    'bytes/received': t.bytesReceived,
    'bytes/sent': t.bytesSent,
    'subscriptions/count': l.subscriptions,
    'retained messages/count': l.retained,
    ...(l.heap ? { 'heap/current': l.heap.current, 'heap/maximum': l.heap.maximum } : {}),
    'connections/refused': t.refused,
    'connections/limited': t.limited,
    ...(l.queuedBytes === undefined ? {} : { 'queued/bytes': l.queuedBytes }),
    ...Object.fromEntries(loads),
  };
}
