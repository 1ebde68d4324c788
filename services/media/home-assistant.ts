import { topics } from '@ledge/contract';
import type { Bus } from '@ledge/kit';
import { COMMANDS, NODE, PROPERTIES, type PropertyId, REPEATS, STATES, THING } from './homie-thing.ts';

/** A state of Home Assistant holds 255 characters at most; an empty text is one zero byte in Homie. */
const TEXT = "{{ '' if value == '\\0' else value[:255] }}";
const ICONS: Record<(typeof COMMANDS)[number], string> = {
  play: 'mdi:play',
  pause: 'mdi:pause',
  stop: 'mdi:stop',
  next: 'mdi:skip-next',
  previous: 'mdi:skip-previous',
};

/**
 * The device discovery document (Home Assistant, "MQTT", "Device discovery payload"). Home Assistant has no media player over MQTT: the player is
 * sensors, a number, a switch, a select, a text and a button per command. The service's registry record tells whether it is there; it has a will.
 */
export function discoveryOf(edge: { id: string; name: string }): object {
  const topic = (property: PropertyId) => topics.property(edge.id, { thing: THING, node: NODE, property });
  const set = (property: PropertyId) => topics.set(edge.id, { thing: THING, node: NODE, property });
  const component = (property: PropertyId, rest: object) => ({
    name: PROPERTIES[property].name,
    unique_id: `${edge.id}-${THING}-${NODE}-${property}`,
    state_topic: topic(property),
    ...('settable' in PROPERTIES[property] ? { command_topic: set(property) } : {}),
    ...rest,
  });
  const buttons = COMMANDS.map((command) => [
    `${NODE}-${command}`,
    {
      platform: 'button',
      name: `${command[0]?.toUpperCase()}${command.slice(1)}`,
      unique_id: `${edge.id}-${THING}-${NODE}-${command}`,
      command_topic: set('command'),
      payload_press: command,
      icon: ICONS[command],
    },
  ]);
  return {
    device: {
      identifiers: [`${edge.id}-${THING}`],
      name: `${edge.name} player`,
      manufacturer: 'Ledge',
      model: 'media',
      via_device: `${edge.id}-system`,
    },
    origin: { name: 'Ledge' },
    availability: [
      {
        topic: topics.service(edge.id, THING),
        value_template: "{{ 'online' if value_json.state == 'ready' else 'offline' }}",
      },
    ],
    qos: 1,
    components: {
      [`${NODE}-state`]: component('state', { platform: 'sensor', device_class: 'enum', options: STATES, icon: 'mdi:speaker' }),
      [`${NODE}-title`]: component('title', { platform: 'sensor', value_template: TEXT, icon: 'mdi:music' }),
      [`${NODE}-artist`]: component('artist', { platform: 'sensor', value_template: TEXT, icon: 'mdi:account-music' }),
      [`${NODE}-volume`]: component('volume', {
        platform: 'number',
        min: 0,
        max: 100,
        step: 1,
        unit_of_measurement: '%',
        icon: 'mdi:volume-high',
      }),
      [`${NODE}-muted`]: component('muted', { platform: 'switch', payload_on: 'true', payload_off: 'false', icon: 'mdi:volume-off' }),
      [`${NODE}-repeat`]: component('repeat', { platform: 'select', options: REPEATS, icon: 'mdi:repeat' }),
      [`${NODE}-source`]: component('source', { platform: 'text', max: 255, value_template: TEXT, icon: 'mdi:radio' }),
      [`${NODE}-fault`]: component('fault', { platform: 'sensor', value_template: TEXT, entity_category: 'diagnostic' }),
      ...Object.fromEntries(buttons),
    },
  };
}

/** Keeps Home Assistant informed: retained, and again at its birth message. */
export class HomeAssistant {
  readonly #bus: Bus;
  readonly #edge: { id: string; name: string };
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor(bus: Bus, edge: { id: string; name: string }) {
    this.#bus = bus;
    this.#edge = edge;
  }

  async start(): Promise<void> {
    this.#say();
    this.#unsubscribe = await this.#bus.subscribe(topics.homeAssistantStatus(), ({ payload, retained }) => {
      if (payload.toString() === 'online' && !retained) this.#say();
    });
  }

  async stop(): Promise<void> {
    await this.#unsubscribe?.().catch(() => {});
  }

  #say(): void {
    this.#bus.retain(topics.homeAssistantDiscovery(`${this.#edge.id}-${THING}`), discoveryOf(this.#edge));
  }
}
