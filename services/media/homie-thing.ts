import { createHash } from 'node:crypto';
import {
  formatPayload,
  type HomieDescription,
  type HomieProperty,
  type MediaState,
  type ParsedPayload,
  Problem,
  parsePayload,
  shown,
  topics,
  type Value,
} from '@ledge/contract';
import type { Bus, Logger, Message } from '@ledge/kit';

export const THING = 'media';
export const NODE = 'player';
export const COMMANDS = ['play', 'pause', 'stop', 'next', 'previous'] as const;
export const STATES = ['playing', 'paused', 'stopped', 'connecting'] as const;
export const REPEATS = ['off', 'one', 'all'] as const;
const MAX_VOLUME = 100;

/** What can be read and set of the player on the bus (Homie 5, "Property attributes"). */
export const PROPERTIES = {
  state: { name: 'State', datatype: 'enum', format: STATES.join(',') },
  title: { name: 'Title', datatype: 'string' },
  artist: { name: 'Artist', datatype: 'string' },
  volume: { name: 'Volume', datatype: 'integer', format: `0:${MAX_VOLUME}`, unit: '%', settable: true },
  muted: { name: 'Muted', datatype: 'boolean', settable: true },
  repeat: { name: 'Repeat', datatype: 'enum', format: REPEATS.join(','), settable: true },
  position: { name: 'Position', datatype: 'float', format: '0:', unit: 's', settable: true },
  duration: { name: 'Duration', datatype: 'float', unit: 's' },
  source: { name: 'Source', datatype: 'string', settable: true },
  command: { name: 'Command', datatype: 'enum', format: COMMANDS.join(','), settable: true, retained: false },
  fault: { name: 'Fault', datatype: 'string' },
} as const satisfies Record<string, HomieProperty>;
export type PropertyId = keyof typeof PROPERTIES;

/** What may be done with the player, by whatever way it is asked. */
export interface Controls {
  play(): Promise<void>;
  pause(): Promise<void>;
  stop(): Promise<void>;
  next(): Promise<void>;
  previous(): Promise<void>;
  seek(positionS: number): Promise<void>;
  setVolume(volume: number): Promise<void>;
  setMuted(muted: boolean): Promise<void>;
  setRepeat(repeat: (typeof REPEATS)[number]): void;
  playSource(source: string): Promise<void>;
}

export function describe(name: string): HomieDescription {
  const content = { name, type: 'media-player', nodes: { [NODE]: { name: 'Player', type: 'media-player', properties: PROPERTIES } } };
  const version = createHash('sha256').update(JSON.stringify(content)).digest().readUInt32BE();
  return { homie: '5.0', version, ...content };
}

/** The retained properties of a state. The position is said when something happens, not as it moves. */
function valuesOf(state: MediaState): Partial<Record<PropertyId, Value>> {
  return {
    state: state.state,
    title: state.streamTitle ?? state.track?.title ?? '',
    artist: state.track?.artist ?? '',
    volume: state.volume,
    muted: state.muted,
    repeat: state.repeat,
    position: state.positionS ?? 0,
    duration: state.durationS ?? 0,
    source: state.track?.source ?? '',
    fault: state.fault ?? '',
  };
}

const wanted = (property: PropertyId, payload: string): ParsedPayload => {
  switch (property) {
    case 'volume':
      return parsePayload('integer', payload, { min: 0, max: MAX_VOLUME });
    case 'position':
      return parsePayload('float', payload, { min: 0 });
    case 'command':
      return parsePayload('enum', payload, { values: COMMANDS });
    case 'repeat':
      return parsePayload('enum', payload, { values: REPEATS });
    default:
      return parsePayload(PROPERTIES[property].datatype, payload);
  }
};

/** The player as a Homie 5 device, so that controllers find it. */
export class HomieThing {
  readonly #bus: Bus;
  readonly #edge: { id: string; name: string };
  readonly #controls: Controls;
  readonly #log: Logger;
  readonly #said = new Map<PropertyId, Value>();
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor(bus: Bus, edge: { id: string; name: string }, controls: Controls, log: Logger) {
    this.#bus = bus;
    this.#edge = edge;
    this.#controls = controls;
    this.#log = log;
  }

  /** Says everything retained, its state last, and listens for commands. */
  async start(state: MediaState): Promise<void> {
    this.#bus.retain(topics.description(this.#edge.id, THING), describe(`${this.#edge.name} player`));
    this.say(state);
    this.#unsubscribe = await this.#bus.subscribe(this.#topic('+', 'set'), (message) => void this.#command(message), { qos: 1 });
    this.#bus.retain(topics.state(this.#edge.id, THING), 'ready');
  }

  async stop(): Promise<void> {
    this.#bus.retain(topics.state(this.#edge.id, THING), 'disconnected');
    await this.#unsubscribe?.().catch(() => {});
  }

  /** Says the properties that are no longer as they were said. */
  say(state: MediaState): void {
    for (const [property, value] of Object.entries(valuesOf(state)) as [PropertyId, Value][]) {
      if (this.#said.get(property) === value) continue;
      this.#said.set(property, value);
      this.#bus.retain(topics.property(this.#edge.id, { thing: THING, node: NODE, property }), formatPayload(value));
    }
  }

  #topic(property: string, tail: string): string {
    return `${topics.property(this.#edge.id, { thing: THING, node: NODE, property })}/${tail}`;
  }

  async #command({ topic, payload, retained }: Message): Promise<void> {
    const property = topic.split('/').at(-2) as PropertyId;
    const known = Object.hasOwn(PROPERTIES, property) ? PROPERTIES[property] : undefined;
    // Homie 5, "Property command topic": commands are not retained; one that is would come again at each start
    if (retained || !known || !('settable' in known)) return;
    const value = wanted(property, payload.toString());
    const isSo = value.ok && this.#said.get(property) === value.value;
    try {
      if (!value.ok) throw new Problem('command-rejected', `value is ${shown(payload.toString())}; ${value.wanted}`);
      await this.#do(property, value.value);
      // nothing changes, and whoever commanded waits for an answer
      if (isSo) this.#bus.retain(topics.property(this.#edge.id, { thing: THING, node: NODE, property }), formatPayload(value.value));
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      this.#log.warn({ topic, err: error }, 'command refused');
      this.#bus.publish(topics.log(this.#edge.id, THING, 'warn'), `${NODE}/${property} was not set: ${sentence}`).catch(() => {});
    }
  }

  async #do(property: PropertyId, value: Value): Promise<void> {
    const controls = this.#controls;
    switch (property) {
      case 'command':
        return controls[value as (typeof COMMANDS)[number]]();
      case 'volume':
        return controls.setVolume(Number(value));
      case 'muted':
        return controls.setMuted(value === true);
      case 'repeat':
        return controls.setRepeat(value as (typeof REPEATS)[number]);
      case 'position':
        return controls.seek(Number(value));
      case 'source':
        return controls.playSource(String(value));
      default:
    }
  }
}
