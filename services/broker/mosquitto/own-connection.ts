import { randomBytes, randomUUID } from 'node:crypto';
import { Problem, topicMatches } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { Message } from '../message.ts';
import { hashOfSecret, type MosquittoHash } from './password.ts';
import type { Command } from './security.ts';

const CONTROL = '$CONTROL/dynamic-security/v1';
const RESPONSE = `${CONTROL}/response`;
const ANSWER_WITHIN_MS = 3000;
const CONNECT_WITHIN_MS = 5000;
const RECONNECT_MS = 200;

/** A user that exists for us alone: its password is in no file and changes with every start of this service. */
export class OwnUser {
  readonly name: string;
  readonly password = randomBytes(32).toString('base64url');
  readonly hash: MosquittoHash = hashOfSecret(this.password);
  constructor(name: string) {
    this.name = name;
  }
}

export interface Address {
  host: string;
  port: number;
}

interface Response {
  responses?: { command: string; error?: string }[];
}

/** Our own connection to mosquitto: the engine's voice, its ears, and its hand on users and rules. */
export class OwnConnection {
  readonly #user: OwnUser;
  readonly #address: () => Address;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<(message: Message) => void>>();
  #client: MqttClient | undefined;
  #answer: ((response: Response) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(user: OwnUser, address: () => Address, clock: Clock) {
    this.#user = user;
    this.#address = address;
    this.#clock = clock;
  }

  get connected(): boolean {
    return this.#client?.connected === true;
  }

  /** Resolves when it is connected; from then on it comes back by itself. */
  async open(): Promise<void> {
    await this.close();
    const client = mqtt.connect({ ...this.#login(), reconnectPeriod: RECONNECT_MS });
    this.#client = client;
    client.on('error', () => {}); // `close` follows
    client.on('message', (topic, payload, packet) => this.#deliver(topic, payload, packet.qos, packet.retain));
    await connected(client);
    await client.subscribeAsync([RESPONSE, ...this.#listeners.keys()], { qos: 0 });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.endAsync(true).catch(() => {});
  }

  publish(topic: string, payload: Buffer, retain: boolean): void {
    this.#client?.publish(topic, payload, { qos: 0, retain });
  }

  /** Resolves when it is heard; while mosquitto is away it will be, as soon as it is back. */
  async listen(filter: string, receive: (message: Message) => void): Promise<() => void> {
    const listeners = this.#listeners.get(filter) ?? new Set();
    const known = listeners.size > 0;
    this.#listeners.set(filter, listeners.add(receive));
    if (!known && this.#client?.connected) await this.#client.subscribeAsync(filter, { qos: 0 }).catch(() => {});
    return () => {
      listeners.delete(receive);
      if (listeners.size > 0 || this.#listeners.get(filter) !== listeners) return;
      this.#listeners.delete(filter);
      this.#client?.unsubscribe(filter);
    };
  }

  /** Resolves when mosquitto goes by it. @throws when it refuses one of them or does not answer */
  command(commands: readonly Command[]): Promise<void> {
    const turn = this.#turn.then(() => this.#command(commands));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #command(commands: readonly Command[]): Promise<void> {
    const client = this.#client;
    if (!client?.connected) throw new Problem('bus-away', 'mosquitto is away');
    const answered = Promise.withResolvers<Response>();
    this.#answer = answered.resolve;
    const cancel = this.#clock.after(ANSWER_WITHIN_MS, () => answered.reject(new Error('mosquitto does not answer')));
    try {
      client.publish(CONTROL, JSON.stringify({ commands }), { qos: 1 });
      const { responses = [] } = await answered.promise;
      const refused = responses.find(({ error }) => error !== undefined);
      if (refused || responses.length < commands.length) {
        throw new Error(`mosquitto refuses ${refused?.command ?? 'a command'}: ${refused?.error ?? 'no answer to it'}`);
      }
    } finally {
      cancel();
      this.#answer = undefined;
    }
  }

  #deliver(topic: string, payload: Buffer, qos: 0 | 1 | 2, retain: boolean): void {
    if (topic === RESPONSE) {
      this.#answer?.(JSON.parse(payload.toString()) as Response);
      return;
    }
    const message = new Message(topic, payload, qos, retain, true);
    for (const [filter, listeners] of this.#listeners) {
      if (topicMatches(filter, topic)) for (const receive of [...listeners]) receive(message);
    }
  }

  /** What is retained below a filter, once: on a connection of its own, to which mosquitto sends it anew. */
  async retained(filter: string): Promise<string[]> {
    const topics: string[] = [];
    const client = mqtt.connect({ ...this.#login(), reconnectPeriod: 0 });
    client.on('error', () => {});
    client.on('message', (topic, payload, { retain }) => {
      if (retain && payload.length > 0) topics.push(topic);
    });
    try {
      await connected(client);
      await client.subscribeAsync(filter, { qos: 0 });
      await client.unsubscribeAsync(filter); // answered after all of it
    } finally {
      await client.endAsync(!client.connected);
    }
    return topics;
  }

  #login(): IClientOptions {
    const { name, password } = this.#user;
    return {
      ...this.#address(),
      protocol: 'mqtt',
      clientId: `${name}-${randomUUID()}`, // that nobody guesses, so that nobody takes our place
      username: name,
      password,
      connectTimeout: CONNECT_WITHIN_MS,
      queueQoSZero: false,
      writeCache: false,
    };
  }
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('close', () => reject(new Problem('bus-away', 'the connection to mosquitto broke')));
  });
}
