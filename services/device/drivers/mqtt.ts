import { filterFault, filters, filtersOverlap, Problem, topicFault, type Value } from '@ledge/contract';
import type { Message } from '@ledge/kit';
import { asError } from '@ledge/kit';
import { type DriverEnvironment, type DriverProperty, type DriverSink, type DriverThing, defineDriver, type OpenThing } from '@ledge/sdk';
import { z } from 'zod';
import { fromValue, toValue, wordsShape } from './convert.ts';
import { extract, pathSchema } from './json-path.ts';
import { render, templateSchema } from './template.ts';

const MAX_PAYLOAD_BYTES = 256 * 1024;

const topic = z.string().refine((text) => topicFault(text) === undefined, 'a topic without wildcards is wanted, such as cmnd/plug/POWER');
const filter = z.string().refine((text) => filterFault(text) === undefined, 'a topic such as tele/plug/SENSOR is wanted');

const optionsSchema = z.strictObject({
  availability: z
    .strictObject({
      topic: filter,
      value: pathSchema.optional(),
      online: z.string().default('online'),
      offline: z.string().default('offline'),
    })
    .optional()
    .meta({ description: 'where the device says that it is there: Tasmota LWT, ESPHome status, Zigbee2MQTT availability' }),
});
const sourceSchema = z
  .strictObject({
    topic: filter.optional().meta({ description: 'where the device says the value; left out for things that only take commands' }),
    value: pathSchema.optional(),
    ...wordsShape,
    command: z
      .strictObject({
        topic,
        payload: templateSchema.default('{value}'),
        qos: z.union([z.literal(0), z.literal(1)]).default(1),
        retain: z.boolean().default(false),
        optimistic: z.boolean().default(false).meta({ description: 'true for devices that do not tell the value back' }),
      })
      .optional()
      .meta({ description: 'how the property is set' }),
  })
  .refine((source) => source.topic !== undefined || source.command !== undefined, 'a topic to hear, or a command, is wanted')
  .refine(
    (source) => source.topic !== undefined || source.command?.optimistic === true,
    'without a topic to hear, the command must be optimistic: nobody tells the value back',
  );
type Options = z.output<typeof optionsSchema>;
type Source = z.output<typeof sourceSchema>;

/** What this box says itself must not come back as a thing: that would be a loop. */
function refuseOwnTopics(edge: string, { options, properties }: DriverThing<Options, Source>): void {
  const used = properties.flatMap(({ key, source }) => [
    [`${key}.source.topic`, source.topic],
    [`${key}.source.command.topic`, source.command?.topic],
  ]);
  for (const [field, used_] of [...used, ['options.availability.topic', options.availability?.topic]]) {
    if (used_ !== undefined && filtersOverlap(used_, filters.everything(edge))) {
      throw new Problem(
        'thing-invalid',
        `${field} is ${used_}; a topic outside of ${filters.everything(edge)} is wanted, or this box would hear itself`,
      );
    }
  }
}

class MqttThing implements OpenThing {
  readonly polled: ReadonlySet<string> = new Set();
  readonly #properties: ReadonlyMap<string, DriverProperty<Source>>;
  readonly #options: Options;
  readonly #sink: DriverSink;
  readonly #environment: DriverEnvironment;
  readonly #heard = new Set<string>();
  /** By subscription: topic and text that came last. */
  readonly #lastSaid = new Map<string, string>();
  readonly #waiting = new Set<{ key: string; value: Value; resolve(value: Value): void; reject(why: Error): void }>();
  #unsubscribe: (() => Promise<void>)[] = [];

  constructor({ options, properties }: DriverThing<Options, Source>, sink: DriverSink, environment: DriverEnvironment) {
    this.#properties = new Map(properties.map((property) => [property.key, property]));
    this.#options = options;
    this.#sink = sink;
    this.#environment = environment;
  }

  async start(): Promise<void> {
    const topics = [...this.#properties.values()].flatMap(({ source }) => source.topic ?? []);
    const { availability } = this.#options;
    try {
      for (const one of new Set(availability ? [...topics, availability.topic] : topics)) {
        this.#unsubscribe.push(await this.#environment.bus.subscribe(one, (message) => this.#hear(one, message)));
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async read(): Promise<ReadonlyMap<string, Value | Error>> {
    return new Map();
  }

  async write(key: string, value: Value, signal: AbortSignal): Promise<Value> {
    const property = this.#properties.get(key);
    const command = property?.source.command;
    if (!property || !command) throw new Problem('command-rejected', `${key} has no command in its source; it cannot be set`);
    signal.throwIfAborted();
    const payload = render(command.payload, fromValue(value, property.config, property.source)).text;
    const publish = () => this.#environment.bus.publish(command.topic, payload, { qos: command.qos, retain: command.retain });
    if (command.optimistic) {
      await publish();
      return value;
    }
    const settled = new AbortController();
    try {
      const [told] = await Promise.all([this.#toldBack(key, value, AbortSignal.any([signal, settled.signal])), publish()]);
      return told;
    } finally {
      settled.abort();
    }
  }

  awaits(key: string): string | undefined {
    const topic = this.#properties.get(key)?.source.topic;
    return topic === undefined ? undefined : `message on topic ${topic}`;
  }

  async close(): Promise<void> {
    const subscriptions = this.#unsubscribe;
    this.#unsubscribe = [];
    for (const waiting of this.#waiting) waiting.reject(new Problem('command-rejected', `${waiting.key} was closed before it answered`));
    await Promise.all(subscriptions.map((unsubscribe) => unsubscribe()));
  }

  /** Waits until the device says this very value on its state topic. */
  async #toldBack(key: string, value: Value, signal: AbortSignal): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const waiting = { key, value, resolve, reject };
    const onAbort = () => reject(signal.reason);
    this.#waiting.add(waiting);
    signal.addEventListener('abort', onAbort);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(waiting);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #hear(subscribed: string, message: Message): void {
    if (message.payload.length > MAX_PAYLOAD_BYTES) {
      this.#environment.log.warn({ topic: message.topic, bytes: message.payload.length }, 'message too large for a thing');
      return;
    }
    const text = message.payload.toString();
    const { availability } = this.#options;
    if (availability && availability.topic === subscribed) this.#hearAvailability(availability, text, message.topic);
    // what the broker keeps comes again whenever somebody of this box subscribes to its topic: that is no new reading
    const said = `${message.topic} ${text}`;
    if (message.retained && this.#lastSaid.get(subscribed) === said) return;
    this.#lastSaid.set(subscribed, said);
    for (const property of this.#properties.values()) {
      if (property.source.topic !== subscribed) continue;
      // a happening that the broker kept is over
      if (message.retained && !property.config.retained) continue;
      this.#hearProperty(property, text, message.topic);
    }
  }

  #hearAvailability(availability: NonNullable<Options['availability']>, text: string, from: string): void {
    try {
      const word = String(extract(text, availability.value, from));
      if (word === availability.online) this.#sink.state('ready');
      if (word === availability.offline) this.#sink.state('disconnected');
    } catch (error) {
      this.#environment.log.warn({ topic: from, error: asError(error).message }, 'availability not understood');
    }
  }

  #hearProperty({ key, config, source }: DriverProperty<Source>, text: string, from: string): void {
    let raw: unknown;
    try {
      raw = extract(text, source.value, from);
    } catch (error) {
      // devices often say a part of their state only: a path that once had a value is right
      if (!this.#heard.has(key)) this.#sink.fault(key, asError(error));
      return;
    }
    try {
      this.#take(key, toValue(raw, config, source));
    } catch (error) {
      this.#sink.fault(key, asError(error));
    }
  }

  /** A value that answers a command is told by the command. */
  #take(key: string, value: Value): void {
    this.#heard.add(key);
    const answered = [...this.#waiting].filter((waiting) => waiting.key === key && waiting.value === value);
    for (const waiting of answered) waiting.resolve(value);
    if (answered.length === 0) this.#sink.value(key, value);
  }
}

/** Devices that speak JSON or text over MQTT: Tasmota, ESPHome, Zigbee2MQTT and their like. */
export const mqtt = defineDriver({
  name: 'mqtt',
  summary: 'devices that speak MQTT already: Tasmota, ESPHome, Zigbee2MQTT',
  example: `name: Washing machine
driver: mqtt
options:
  availability: { topic: tele/washer/LWT, online: Online, offline: Offline }
properties:
  power:
    datatype: float
    unit: W
    source: { topic: tele/washer/SENSOR, value: ENERGY.Power }
  on:
    datatype: boolean
    settable: true
    source:
      topic: stat/washer/POWER
      on: 'ON'
      off: 'OFF'
      command: { topic: cmnd/washer/POWER }
`,
  template: `name: Plug
driver: mqtt
options:
  # where the device says that it is there
  availability: { topic: tele/plug/LWT, online: Online, offline: Offline }
properties:
  power:
    datatype: float
    unit: W
    source: { topic: tele/plug/SENSOR, value: ENERGY.Power }    # value: where it is in the JSON; left out, the payload is the value
  on:
    datatype: boolean
    settable: true
    source:
      topic: stat/plug/POWER                                    # where the device tells it back
      on: 'ON'
      off: 'OFF'
      command: { topic: cmnd/plug/POWER }
`,
  options: optionsSchema,
  source: sourceSchema,
  unavailable: async () => undefined,
  async open(thing, sink, environment) {
    refuseOwnTopics(environment.edge, thing);
    const open = new MqttThing(thing, sink, environment);
    await open.start();
    return open;
  },
});
