import { isDeepStrictEqual } from 'node:util';
import {
  type DeviceState,
  filters,
  formatPayload,
  type HomieDescription,
  type HomieProperty,
  homieDescriptionSchema,
  ID_PATTERN,
  type PropertyAddress,
  parsePayload,
  parseTopic,
  topics,
  type Value,
} from '@ledge/contract';
import type { Bus, Clock, Logger } from '@ledge/kit';
import type { z } from 'zod';
import { RetainedTopics } from './retained.ts';
import type { ThingConfig, ThingProperty } from './things/load.ts';

/** Homie 5, "Property attributes": what `$format` says for each datatype. */
export function formatOf({ config }: ThingProperty): string | undefined {
  const { datatype, min, max, step, values } = config;
  if (datatype === 'enum') return values?.join(',');
  if (datatype === 'color') return values?.join(',') ?? 'rgb,hsv,xyz';
  if (datatype !== 'float' && datatype !== 'integer') return undefined;
  if (min === undefined && max === undefined && step === undefined) return undefined;
  return `${min ?? ''}:${max ?? ''}${step === undefined ? '' : `:${step}`}`;
}

function propertyOf(property: ThingProperty): HomieProperty {
  const { datatype, settable, retained, unit } = property.config;
  const format = formatOf(property);
  return {
    name: property.name,
    datatype,
    ...(format === undefined ? {} : { format }),
    ...(settable ? { settable } : {}),
    ...(retained ? {} : { retained }),
    ...(unit === undefined ? {} : { unit }),
  };
}

/** Place in the tree of devices: the root says its children, a child its root. */
type Place = { children: string[] } | { root: string; parent: string };

/** What `$description` says of a thing, but for the document's version. */
export function describe(thing: Pick<ThingConfig, 'name' | 'nodes' | 'properties'>, place: Place): Omit<HomieDescription, 'version'> {
  const nodes = Object.fromEntries(
    thing.nodes.map(({ id, name, type }) => {
      const properties = thing.properties.filter((p) => p.node === id).map((p) => [p.property, propertyOf(p)]);
      return [id, { name, ...(type === undefined ? {} : { type }), properties: Object.fromEntries(properties) }];
    }),
  );
  return { homie: '5.0', name: thing.name, nodes, ...place };
}

type Description = Pick<z.output<typeof homieDescriptionSchema>, 'nodes' | 'root' | 'version'>;

interface Device {
  thing: ThingConfig | undefined;
  state: DeviceState;
  description: HomieDescription;
  /** What a broker of this run was told last. */
  told: HomieDescription | undefined;
  /** Topics of this device, in the order in which a new broker is to hear them. */
  topics: Set<string>;
}

const EMPTY = { name: '', nodes: [], properties: [] };

/**
 * Says things as Homie 5 devices: one tree whose root is the box itself (thing `rootId`). MQTT knows one will per connection, and the will of
 * this one is the root's `$state` `lost`, which then stands for all its children. Alerts tell of sensors that fail.
 */
export class HomiePublisher {
  readonly #bus: Bus;
  readonly #edge: string;
  readonly #rootId: string;
  readonly #rootName: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #retained: RetainedTopics;
  /** `$target` of properties with a command under way: what they are on their way to counts, not what they read meanwhile. */
  readonly #intended = new Set<string>();
  readonly #devices = new Map<string, Device>();
  #cancels: (() => void)[] = [];
  #removed: ((id: string) => void) | undefined;

  constructor(bus: Bus, edge: { id: string; name: string }, rootId: string, clock: Clock, log: Logger) {
    this.#bus = bus;
    this.#edge = edge.id;
    this.#rootId = rootId;
    this.#rootName = edge.name;
    this.#clock = clock;
    this.#log = log;
    this.#retained = new RetainedTopics(bus, log);
  }

  /** @param onStranger is called with the id of a thing that an earlier run said and that is no more */
  async start(onStranger: (id: string) => void): Promise<void> {
    this.#removed = onStranger;
    this.#devices.set(this.#rootId, this.#device(undefined));
    this.#cancels.push(
      this.#bus.onConnect(() => this.#sayAll()),
      this.#bus.onClose(() => this.#retained.forgetWay()),
    );
    const unsubscribe = await this.#bus.subscribe(filters.descriptions(this.#edge), ({ topic, payload }) => this.#heard(topic, payload));
    this.#cancels.push(() => void unsubscribe());
  }

  /** Things are said to be disconnected; the connection that goes next says so of the root. */
  stop(): void {
    for (const id of this.#devices.keys()) if (id !== this.#rootId) this.state(id, 'disconnected');
    for (const cancel of this.#cancels) cancel();
  }

  /** Says a thing, new or changed. What a former version had and this one has not is cleared. */
  put(thing: ThingConfig): void {
    const before = this.#devices.get(thing.id);
    const device = this.#device(thing, before);
    this.#devices.set(thing.id, device);
    if (before?.description === device.description) return;
    this.#say(device, topics.state(this.#edge, thing.id), 'init');
    const kept = new Set(topicsOf(this.#edge, thing.id, device.description));
    for (const topic of before?.topics ?? []) {
      if (!kept.has(topic) && isValueTopic(topic)) this.#clear(device, topic);
    }
    this.#sayDescription(thing.id, device);
    if (!before) this.#sayRoot();
  }

  state(id: string, state: DeviceState): void {
    const device = this.#devices.get(id);
    // the root is ready as long as this process is: its state stands for its children's, too
    if (!device || id === this.#rootId) return;
    device.state = state;
    this.#say(device, topics.state(this.#edge, id), state);
  }

  /** A value of a property; `$target` follows, as Homie 5 wants it for every change once it is used. */
  value(address: PropertyAddress, property: ThingProperty, value: Value): void {
    const topic = topics.property(this.#edge, address);
    const device = this.#devices.get(address.thing);
    if (!device) return;
    if (property.config.settable) this.#followTarget(address, property, value);
    if (property.config.retained) this.#say(device, topic, formatPayload(value));
    else this.#bus.publish(topic, formatPayload(value), { qos: 0 }).catch(() => {}); // a happening: late is worse than never
  }

  /** What a command means a property to become: the very payload, as Homie 5 wants it. It stands until {@link settle}. */
  intend(address: PropertyAddress, property: ThingProperty, payload: string): void {
    this.#intended.add(topics.target(this.#edge, address));
    this.#target(address, property, payload);
  }

  /** The command ended, with the value that the property has now. */
  settle(address: PropertyAddress, property: ThingProperty, value: Value | undefined): void {
    this.#intended.delete(topics.target(this.#edge, address));
    if (value !== undefined) this.#followTarget(address, property, value);
  }

  /** A target that means the value in other letters (`21.50`) is left as it is. */
  #followTarget(address: PropertyAddress, property: ThingProperty, value: Value): void {
    const topic = topics.target(this.#edge, address);
    if (this.#intended.has(topic)) return;
    const last = this.#retained.last(topic);
    const meant = typeof last === 'string' ? parsePayload(property.config.datatype, last, property.config) : undefined;
    if (!meant?.ok || meant.value !== value) this.#target(address, property, formatPayload(value));
  }

  #target(address: PropertyAddress, property: ThingProperty, payload: string): void {
    const device = this.#devices.get(address.thing);
    const topic = topics.target(this.#edge, address);
    if (!property.config.retained) this.#bus.publish(topic, payload, { qos: 0 }).catch(() => {});
    else if (device && this.#retained.last(topic) !== payload) this.#say(device, topic, payload);
  }

  /** Raises or, without a text, ends an alert: something that a person should look after. */
  alert(id: string, alert: string, text: string | undefined): void {
    const device = this.#devices.get(id);
    if (!device || !ID_PATTERN.test(alert)) return;
    const topic = topics.alert(this.#edge, id, alert);
    if (text !== undefined) this.#say(device, topic, text);
    else if (device.topics.has(topic)) this.#clear(device, topic);
  }

  log(id: string, level: 'info' | 'warn' | 'error', text: string): void {
    this.#bus.publish(topics.log(this.#edge, id, level), text, { qos: 0 }).catch(() => {});
  }

  /** Homie 5: who removes a device clears `$state` first, then the rest. */
  remove(id: string): void {
    const device = this.#devices.get(id);
    if (!device) return;
    this.#devices.delete(id);
    if (id === this.#rootId) {
      this.#devices.set(id, this.#device(undefined));
      for (const topic of device.topics) if (isValueTopic(topic)) this.#retained.clear(topic);
    } else {
      for (const topic of [topics.state(this.#edge, id), ...device.topics]) this.#retained.clear(topic);
    }
    this.#sayRoot();
  }

  #device(thing: ThingConfig | undefined, before?: Device): Device {
    const isRoot = thing === undefined || thing.id === this.#rootId;
    const place = isRoot ? { children: this.#childIds() } : { root: this.#rootId, parent: this.#rootId };
    return {
      thing,
      state: isRoot ? 'ready' : (before?.state ?? 'init'),
      description: this.#described(describe(thing ?? { ...EMPTY, name: this.#rootName }, place), before?.description),
      told: before?.told,
      topics: before?.topics ?? new Set(),
    };
  }

  /** Homie 5, "Device attributes": whenever the document changes it gets a higher version. Seconds since 1970 are higher than an earlier run's. */
  #described(content: Omit<HomieDescription, 'version'>, before: HomieDescription | undefined): HomieDescription {
    if (before && isDeepStrictEqual({ ...content, version: before.version }, before)) return before;
    return { ...content, version: Math.max(Math.floor(this.#clock.now() / 1000), (before?.version ?? 0) + 1) };
  }

  #childIds(): string[] {
    return [...this.#devices.keys()].filter((id) => id !== this.#rootId).sort();
  }

  #sayRoot(): void {
    const root = this.#devices.get(this.#rootId);
    if (!root) return;
    const device = this.#device(root.thing, root);
    this.#devices.set(this.#rootId, device);
    if (device.description !== root.description) this.#sayDescription(this.#rootId, device);
  }

  /** Homie 5: a description may only change while the device is not ready. */
  #sayDescription(id: string, device: Device): void {
    const state = topics.state(this.#edge, id);
    if (this.#bus.connected) device.told = device.description;
    this.#say(device, state, 'init');
    this.#say(device, topics.description(this.#edge, id), device.description);
    this.#say(device, state, device.state);
  }

  /** To a new connection: the children, then the root, each with its state last, when all that belongs to it was said. */
  #sayAll(): void {
    this.#retained.forgetWay();
    const root = this.#devices.get(this.#rootId);
    for (const [id, device] of this.#devices) if (device !== root) this.#sayDevice(id, device);
    if (root) this.#sayDevice(this.#rootId, root);
  }

  #sayDevice(id: string, device: Device): void {
    const state = topics.state(this.#edge, id);
    const description = topics.description(this.#edge, id);
    // it changed while the broker was away, where it may still be held as ready
    if (device.told && device.told !== device.description) this.#retained.say(state, 'init');
    device.told = device.description;
    this.#retained.say(description, device.description);
    for (const topic of device.topics) if (topic !== state && topic !== description) this.#retained.repeat(topic);
    this.#retained.say(state, device.state);
    device.topics.add(description).add(state);
  }

  #say(device: Device, topic: string, payload: string | object): void {
    device.topics.add(topic);
    this.#retained.say(topic, payload);
  }

  #clear(device: Device, topic: string): void {
    device.topics.delete(topic);
    this.#retained.clear(topic);
  }

  /**
   * A description that the broker holds from an earlier run. What it names and we no longer have is cleared: single properties,
   * or a whole thing that was removed while we did not run. Where it has a version that is not below ours, ours goes above it.
   */
  #heard(topic: string, payload: Buffer): void {
    const parsed = parseTopic(topic);
    if (parsed.kind !== 'description' || payload.length === 0) return;
    const id = parsed.thing;
    const description = readDescription(payload);
    if (!description || (description.root !== this.#rootId && id !== this.#rootId)) return;
    const device = this.#devices.get(id);
    const present = new Set(device ? topicsOf(this.#edge, id, device.description) : []);
    if (!device) this.#retained.clear(topics.state(this.#edge, id));
    for (const old of topicsOf(this.#edge, id, description)) if (!present.has(old)) this.#retained.clear(old);
    if (device) {
      if (description.version < device.description.version || payload.equals(Buffer.from(JSON.stringify(device.description)))) return;
      device.description = { ...device.description, version: description.version + 1 };
      this.#sayDescription(id, device);
      return;
    }
    this.#retained.clear(topic);
    this.#log.info({ thing: id }, 'cleared a thing that is no more');
    this.#removed?.(id);
  }
}

/** An alert's id for a property that fails. */
export const alertId = (node: string, property: string) => `${node}-${property}`;

const isValueTopic = (topic: string) => !topic.endsWith('/$state') && !topic.endsWith('/$description');

/** Topics below a device on which the broker may hold something, as its description says. */
function topicsOf(edge: string, id: string, { nodes }: Description): string[] {
  return Object.entries(nodes).flatMap(([node, { properties }]) =>
    Object.entries(properties).flatMap(([property, { retained = true, settable = false }]) => {
      const address = { thing: id, node, property };
      const held = retained ? [topics.property(edge, address)] : [];
      if (retained && settable) held.push(topics.target(edge, address));
      return [...held, topics.alert(edge, id, alertId(node, property))];
    }),
  );
}

function readDescription(payload: Buffer): Description | undefined {
  try {
    return homieDescriptionSchema.parse(JSON.parse(payload.toString('utf8')));
  } catch {
    return undefined; // somebody else's, or damaged: not ours to clear
  }
}
