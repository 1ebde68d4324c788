import { type PropertyAddress, topics } from '@ledge/contract';
import type { Bus, Logger } from '@ledge/kit';
import { RetainedTopics } from './retained.ts';
import type { ThingConfig, ThingProperty } from './things/load.ts';

/** Home Assistant's `device_class` of a sensor by our unit; only units that stand for one quantity. */
const CLASS_OF_UNIT: Record<string, string> = {
  '°C': 'temperature',
  '°F': 'temperature',
  K: 'temperature',
  V: 'voltage',
  mV: 'voltage',
  A: 'current',
  mA: 'current',
  W: 'power',
  kW: 'power',
  Wh: 'energy',
  kWh: 'energy',
  Hz: 'frequency',
  Pa: 'pressure',
  hPa: 'pressure',
  kPa: 'pressure',
  bar: 'pressure',
  mbar: 'pressure',
  psi: 'pressure',
  lx: 'illuminance',
  ppm: 'carbon_dioxide',
  dB: 'sound_pressure',
  kg: 'weight',
  m: 'distance',
  cm: 'distance',
  mm: 'distance',
  'm/s': 'speed',
  'km/h': 'speed',
  s: 'duration',
  B: 'data_size',
  kB: 'data_size',
  MB: 'data_size',
  GB: 'data_size',
};
/** Where the unit does not tell, the property's id does. */
const CLASS_OF_ID: readonly [RegExp, string][] = [
  [/humidity/, 'humidity'],
  [/moisture/, 'moisture'],
  [/battery/, 'battery'],
];
/** Of a boolean that is only read. */
const BINARY_CLASS_OF_ID: readonly [RegExp, string][] = [
  [/motion|presence/, 'motion'],
  [/door/, 'door'],
  [/window/, 'window'],
  [/leak|water/, 'moisture'],
  [/smoke/, 'smoke'],
];
/** Energy only adds up. */
const STATE_CLASS: Record<string, string> = { energy: 'total_increasing' };

const ONLINE = "{{ 'online' if value in ['ready', 'sleeping'] else 'offline' }}";
/** The box is `init` for a moment whenever a thing comes or goes: all others stay what they are. */
const BOX_ONLINE = "{{ 'offline' if value in ['lost', 'disconnected'] else 'online' }}";
/** An empty text is one zero byte in Homie. More than 255 characters are no state for Home Assistant. */
const TEXT = "{{ '' if value == '\\0' else value[:255] }}";
/** Home Assistant refuses a number with a finer step, and the whole document with it. */
const FINEST_STEP = 0.001;

type Component = Record<string, unknown>;
type Discovery = { components: Record<string, Component> } & Record<string, unknown>;

interface Context {
  edge: string;
  thing: ThingConfig;
}

const address = ({ thing }: Context, { node, property }: ThingProperty): PropertyAddress => ({ thing: thing.id, node, property });

function sensorClass({ property, config: { unit } }: ThingProperty): string | undefined {
  if (unit === '%') return CLASS_OF_ID.find(([pattern]) => pattern.test(property))?.[1];
  return unit === undefined ? undefined : CLASS_OF_UNIT[unit];
}

/** The switch of a colour: a settable boolean in the same node. Both together are one light. */
const switchOf = (thing: ThingConfig, color: ThingProperty) =>
  thing.properties.find((p) => p.node === color.node && p.config.datatype === 'boolean' && p.config.settable);

function lightsOf(thing: ThingConfig): Map<ThingProperty, ThingProperty> {
  const lights = new Map<ThingProperty, ThingProperty>();
  for (const color of thing.properties) {
    if (color.config.datatype !== 'color' || !color.config.settable) continue;
    const power = switchOf(thing, color);
    if (power && !lights.has(power)) lights.set(power, color);
  }
  return lights;
}

function lightOf(context: Context, color: ThingProperty): Component {
  const { edge } = context;
  return {
    platform: 'light',
    payload_on: 'true',
    payload_off: 'false',
    rgb_state_topic: topics.property(edge, address(context, color)),
    rgb_command_topic: topics.set(edge, address(context, color)),
    rgb_command_template: 'rgb,{{ red }},{{ green }},{{ blue }}',
    rgb_value_template: "{{ value[4:] if value.startswith('rgb,') else '' }}",
  };
}

function settableOf({ config }: ThingProperty): Component {
  const { datatype, min, max, step, unit, values } = config;
  switch (datatype) {
    case 'boolean':
      return { platform: 'switch', payload_on: 'true', payload_off: 'false' };
    case 'enum':
      return { platform: 'select', options: values };
    case 'float':
    case 'integer':
      return {
        platform: 'number',
        mode: 'auto',
        min: min ?? -1e6,
        max: max ?? 1e6,
        step: Math.max(step ?? (datatype === 'integer' ? 1 : FINEST_STEP), FINEST_STEP),
        ...(unit === undefined ? {} : { unit_of_measurement: unit }),
      };
    default:
      return { platform: 'text', value_template: TEXT };
  }
}

function readOnlyOf(property: ThingProperty): Component {
  const { datatype, unit, values } = property.config;
  switch (datatype) {
    case 'boolean': {
      const deviceClass = BINARY_CLASS_OF_ID.find(([pattern]) => pattern.test(property.property))?.[1];
      return { platform: 'binary_sensor', payload_on: 'true', payload_off: 'false', ...(deviceClass ? { device_class: deviceClass } : {}) };
    }
    case 'enum':
      return { platform: 'sensor', device_class: 'enum', options: values };
    case 'datetime':
      return { platform: 'sensor', device_class: 'timestamp' };
    case 'float':
    case 'integer': {
      const deviceClass = sensorClass(property);
      return {
        platform: 'sensor',
        state_class: STATE_CLASS[deviceClass ?? ''] ?? 'measurement',
        ...(deviceClass ? { device_class: deviceClass } : {}),
        ...(unit === undefined ? {} : { unit_of_measurement: unit }),
      };
    }
    default:
      return { platform: 'sensor', value_template: TEXT };
  }
}

function componentOf(context: Context, property: ThingProperty, color: ThingProperty | undefined): Component {
  const { edge, thing } = context;
  const at = address(context, property);
  const kind = color ? lightOf(context, color) : property.config.settable ? settableOf(property) : readOnlyOf(property);
  const several = thing.nodes.length > 1;
  const node = thing.nodes.find(({ id }) => id === property.node);
  return {
    ...kind,
    name: several ? `${node?.name ?? property.node} ${property.name}` : property.name,
    unique_id: `${edge}-${thing.id}-${property.node}-${property.property}`,
    state_topic: topics.property(edge, at),
    ...(property.config.settable ? { command_topic: topics.set(edge, at) } : {}),
  };
}

/** The id of a thing for Home Assistant: unique among all boxes. */
export const discoveryId = (edge: string, thing: string) => `${edge}-${thing}`;

/**
 * The device discovery document of a thing (Home Assistant, "MQTT", "Device discovery payload").
 * A happening that is not retained and not settable is told as a sensor, too.
 */
export function discoveryOf(edge: string, thing: ThingConfig, rootId: string): Discovery {
  const context = { edge, thing };
  const lights = lightsOf(thing);
  const colors = new Set(lights.values());
  const components = thing.properties
    .filter((property) => !colors.has(property))
    .map((property) => [`${property.node}-${property.property}`, componentOf(context, property, lights.get(property))]);
  const online = (id: string) => ({ topic: topics.state(edge, id), value_template: id === rootId ? BOX_ONLINE : ONLINE });
  return {
    device: {
      identifiers: [discoveryId(edge, thing.id)],
      name: thing.name,
      manufacturer: 'Ledge',
      model: thing.driver.name,
      ...(thing.room === undefined ? {} : { suggested_area: thing.room }),
      ...(thing.id === rootId ? {} : { via_device: discoveryId(edge, rootId) }),
    },
    origin: { name: 'Ledge' },
    // the box's own state counts for all: its will is the only one that the broker says
    availability: thing.id === rootId ? [online(rootId)] : [online(rootId), online(thing.id)],
    availability_mode: 'all',
    qos: 1,
    components: Object.fromEntries(components),
  };
}

/** Components of the former document that the new one has no more, or has as another platform; each with its platform alone. */
function goneFrom(before: Discovery | undefined, { components }: Discovery): [string, Component][] {
  return Object.entries(before?.components ?? {})
    .filter(([key, { platform }]) => components[key]?.platform !== platform)
    .map(([key, { platform }]) => [key, { platform }]);
}

/** Keeps Home Assistant informed: a document for each thing, retained, again at its birth message, cleared when the thing goes. */
export class HomeAssistant {
  readonly #bus: Bus;
  readonly #edge: string;
  readonly #rootId: string;
  readonly #prefix: string;
  readonly #retained: RetainedTopics;
  readonly #things = new Map<string, Discovery>();
  #cancels: (() => void)[] = [];

  constructor(bus: Bus, edge: string, rootId: string, prefix: string, log: Logger) {
    this.#bus = bus;
    this.#edge = edge;
    this.#rootId = rootId;
    this.#prefix = prefix;
    this.#retained = new RetainedTopics(bus, log);
  }

  async start(): Promise<void> {
    const unsubscribe = await this.#bus.subscribe(topics.homeAssistantStatus(this.#prefix), ({ payload, retained }) => {
      if (payload.toString() === 'online' && !retained) this.#sayAll();
    });
    this.#cancels = [
      this.#bus.onConnect(() => {
        this.#retained.forgetWay();
        this.#sayAll();
      }),
      this.#bus.onClose(() => this.#retained.forgetWay()),
      () => void unsubscribe(),
    ];
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  put(thing: ThingConfig): void {
    const document = discoveryOf(this.#edge, thing, this.#rootId);
    const gone = goneFrom(this.#things.get(thing.id), document);
    this.#things.set(thing.id, document);
    // an entity that is only left out stays: it goes when its component says nothing but its platform, once
    if (gone.length > 0)
      this.#retained.say(this.#topic(thing.id), { ...document, components: { ...document.components, ...Object.fromEntries(gone) } });
    this.#retained.say(this.#topic(thing.id), document);
  }

  remove(id: string): void {
    this.#things.delete(id);
    this.#retained.clear(this.#topic(id));
  }

  #sayAll(): void {
    for (const id of this.#things.keys()) this.#retained.repeat(this.#topic(id));
  }

  #topic(id: string): string {
    return topics.homeAssistantDiscovery(discoveryId(this.#edge, id), this.#prefix);
  }
}
