import { readFile } from 'node:fs/promises';
import { Problem, shown, topicMatches } from '@ledge/contract';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { Clock, Logger, Message, OwnBus, Payload, PublishOptions, Random } from './ports.ts';

const CONNECT_WITHIN_MS = 5000;
const KEEPALIVE_S = 15;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1500;

export interface BusOptions {
  url: string;
  clientId: string;
  username: string;
  /** Read at each try, because the broker may make it only at its own first start. */
  passwordFile: string;
  /** Said by the broker when this process is gone without a word. */
  will: { topic: string; payload: Payload } | undefined;
  /** The broker keeps what comes at QoS 1 while this client is away. Only for clients with a fixed id. */
  keepSession?: boolean;
  clock: Clock;
  random: Random;
  log: Logger;
}

const encoded = (payload: Payload): string | Buffer => {
  if (typeof payload === 'string') return payload;
  return payload instanceof Uint8Array ? Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength) : JSON.stringify(payload);
};

/** Host and port apart, because the library's own parsing of URLs is deprecated in Node. */
function brokerAddress(url: string): IClientOptions {
  const { protocol, hostname, port, pathname } = new URL(url);
  return {
    protocol: protocol.slice(0, -1) as NonNullable<IClientOptions['protocol']>,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    ...(port ? { port: Number(port) } : {}),
    ...(pathname.length > 1 ? { path: pathname } : {}),
  };
}

async function clientOptions({ url, clientId, username, passwordFile, will, keepSession }: BusOptions): Promise<IClientOptions> {
  const password = await readFile(passwordFile, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  return {
    ...brokerAddress(url),
    clientId,
    clean: keepSession !== true,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_WITHIN_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false, // or mqtt-packet keeps 65,536 little buffers, one for each number, 8 MiB
    ...(password === undefined ? {} : { username, password }),
    ...(will ? { will: { topic: will.topic, payload: Buffer.from(encoded(will.payload)), qos: 1 as const, retain: true } } : {}),
  };
}

/** A broker that has something retained sends it with its answer to the subscription. */
const RETAINED_WITHIN_MS = 150;
const READ_WITHIN_MS = 1500;

/** What is retained at a topic, read over a connection of its own; undefined when there is nothing, or the broker is away. */
export async function readRetained(options: BusOptions, topic: string): Promise<Buffer | undefined> {
  const client = mqtt.connect(await clientOptions(options));
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const nothing = () => resolve(undefined);
  let waiting = setTimeout(nothing, READ_WITHIN_MS);
  client.on('error', nothing);
  client.once('close', nothing);
  client.on('message', (_, payload) => resolve(payload));
  client.on('connect', () =>
    client.subscribe(topic, { qos: 1 }, () => {
      clearTimeout(waiting);
      waiting = setTimeout(nothing, RETAINED_WITHIN_MS);
    }),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(waiting);
    await client.endAsync(!client.connected).catch(() => {});
  }
}

interface Subscription {
  filter: string;
  qos: 0 | 1 | 2;
  handler(message: Message): void;
}

/** Delay before try number `attempt` (from 0): doubles up to a cap, half of it by chance, so that a house of boxes does not knock at once. */
export function retryDelayMs(attempt: number, random: Random, firstMs = FIRST_RETRY_MS, maxMs = MAX_RETRY_MS): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return full / 2 + (random() * full) / 2;
}

/**
 * The bus over MQTT 3.1.1, for any broker. Each connection is a new client: nothing of a broken one is sent again behind our back,
 * so who publishes learns of every loss. On each connect subscriptions are made and everything retained is said again.
 */
export class MqttBus implements OwnBus {
  readonly #options: BusOptions;
  readonly #retained = new Map<string, Payload>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #connectListeners = new Set<() => void>();
  readonly #closeListeners = new Set<(reason: string) => void>();
  readonly #unanswered = new Set<(error: Error) => void>();
  #client: MqttClient | undefined;
  #connected = false;
  #attempt = 0;
  #cancelRetry: (() => void) | undefined;
  #running = false;
  #lastFault: string | undefined;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    this.#running = true;
    void this.#connect();
  }

  /** Says `farewell` retained on the will's topic (an empty text clears it), so that the will is not needed, and disconnects. */
  async stop(farewell?: Payload): Promise<void> {
    this.#running = false;
    this.#cancelRetry?.();
    const { will } = this.#options;
    if (this.#connected && will && farewell !== undefined) {
      await Promise.race([this.publish(will.topic, farewell, { qos: 1, retain: true }).catch(() => {}), this.#options.clock.sleep(1000)]);
    }
    const client = this.#client;
    this.#client = undefined;
    this.#lost('this service stopped');
    await client?.endAsync(!client.connected).catch(() => {});
  }

  async publish(topic: string, payload: Payload, { qos = 0, retain = false }: PublishOptions = {}): Promise<void> {
    const client = this.#client;
    if (!client || !this.#connected) throw new Problem('bus-away', `${topic} was not said: the broker is away`);
    await this.#answered<void>((resolve, reject) => {
      client.publish(topic, encoded(payload), { qos, retain }, (error) => (error ? reject(error) : resolve()));
    });
  }

  retain(topic: string, payload: Payload): void {
    this.#retained.set(topic, payload);
    this.#say(topic, payload);
  }

  forget(topic: string): void {
    this.#retained.delete(topic);
    this.#say(topic, '');
  }

  async subscribe(
    filter: string,
    handler: (message: Message) => void,
    { qos = 1 }: { qos?: 0 | 1 | 2 } = {},
  ): Promise<() => Promise<void>> {
    const subscription = { filter, qos, handler };
    this.#subscriptions.add(subscription);
    if (this.#connected) {
      try {
        await this.#ask(subscription);
      } catch (error) {
        // when the connection broke meanwhile, it is made with the next one
        if (!(error instanceof Problem) || error.code !== 'bus-away') {
          this.#subscriptions.delete(subscription);
          throw error;
        }
      }
    }
    return async () => {
      this.#subscriptions.delete(subscription);
      const stillWanted = [...this.#subscriptions].some((other) => other.filter === filter);
      if (!stillWanted && this.#connected) await this.#client?.unsubscribeAsync(filter).catch(() => {});
    };
  }

  onConnect(listener: () => void): () => void {
    this.#connectListeners.add(listener);
    if (this.#connected) listener();
    return () => this.#connectListeners.delete(listener);
  }

  onClose(listener: (reason: string) => void): () => void {
    this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  async #connect(): Promise<void> {
    const options = await clientOptions(this.#options);
    if (!this.#running) return;
    const client = mqtt.connect(options);
    this.#client = client;
    client.on('connect', () => void this.#whole(client));
    client.on('message', (topic, payload, packet) => this.#deliver(topic, payload, packet));
    client.on('error', (error) => {
      this.#lastFault = error.message;
    });
    client.once('close', () => {
      client.end(true);
      if (this.#client === client) this.#retry();
    });
  }

  /** First subscriptions, so that nothing said from now on is missed; then what is retained; then we count as connected. */
  async #whole(client: MqttClient): Promise<void> {
    this.#connected = true;
    this.#attempt = 0;
    this.#lastFault = undefined;
    const { log, url } = this.#options;
    for (const subscription of this.#subscriptions) {
      this.#ask(subscription).catch((error: unknown) => log.error({ filter: subscription.filter, err: error }, 'subscription refused'));
    }
    for (const [topic, payload] of this.#retained) this.#say(topic, payload);
    log.info({ url, retained: this.#retained.size, subscriptions: this.#subscriptions.size }, 'bus connected');
    if (this.#client === client) for (const listener of [...this.#connectListeners]) listener();
  }

  #retry(): void {
    const reason = this.#lastFault ?? 'the connection broke';
    const wasConnected = this.#connected;
    this.#client = undefined;
    this.#lost(reason);
    if (!this.#running) return;
    const { clock, random, log } = this.#options;
    const delayMs = retryDelayMs(this.#attempt++, random);
    if (wasConnected || this.#attempt === 1 || this.#attempt % 20 === 0) log.warn({ reason, attempt: this.#attempt }, 'bus away');
    this.#cancelRetry = clock.after(delayMs, () => void this.#connect());
  }

  #lost(reason: string): void {
    const wasConnected = this.#connected;
    this.#connected = false;
    const error = new Problem('bus-away', `the broker went away: ${reason}`);
    for (const reject of [...this.#unanswered]) reject(error);
    this.#unanswered.clear();
    if (wasConnected) for (const listener of [...this.#closeListeners]) listener(reason);
  }

  #say(topic: string, payload: Payload): void {
    if (!this.#connected) return;
    this.publish(topic, payload, { qos: 1, retain: true }).catch((error: unknown) => {
      if (this.#connected) this.#options.log.warn({ topic, err: error }, 'retained value not taken');
    });
  }

  async #ask({ filter, qos }: Subscription): Promise<void> {
    const client = this.#client;
    if (!client) return;
    await this.#answered<void>((resolve, reject) => {
      client.subscribe(filter, { qos }, (error, grants) => {
        const refused = grants?.some((grant) => grant.qos === 128); // MQTT 3.1.1, 3.9.3: failure
        if (error || refused)
          reject(new Problem('not-allowed', `the broker refuses the subscription to ${shown(filter)}`, { cause: error }));
        else resolve();
      });
    });
  }

  /** A promise that also ends when the connection does. */
  async #answered<T>(ask: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.#unanswered.add(reject);
      const settle = () => this.#unanswered.delete(reject);
      ask(
        (value) => {
          settle();
          resolve(value);
        },
        (error) => {
          settle();
          reject(error);
        },
      );
    });
  }

  #deliver(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const message: Message = { topic, payload, retained: packet.retain, qos: packet.qos };
    for (const { filter, handler } of this.#subscriptions) {
      if (!topicMatches(filter, topic)) continue;
      try {
        handler(message);
      } catch (error) {
        this.#options.log.error({ topic, err: error }, 'message handler failed');
      }
    }
  }
}
