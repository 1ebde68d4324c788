import {
  type Datatype,
  type DeviceState,
  effectiveState,
  type HomieDescription,
  type HomieProperty,
  ID_PATTERN,
  Problem,
  shown,
  topics,
  type Value,
} from '@ledge/contract';
import { asError } from '../errors.ts';
import type { Bus, Clock, Logger, Message } from '../ports.ts';
import { ANSWERED_WITHIN_MS, sendCommand } from './command.ts';
import { addressOf, descriptionOf, propertyOf, readValue, stateOf } from './words.ts';

/** What is known of a value beside itself. */
export interface ValueFacts {
  /** When this service heard it, ms since 1970. */
  readonly timeMs: number;
  /** The broker held it: it was said some time before, and is what the thing last was. */
  readonly retained: boolean;
  /** Homie's word for the kind of value: `float` and `integer` come as number, `boolean` as boolean, all others as text. */
  readonly datatype: Datatype;
  /** As the thing says it, such as `°C`; undefined when it says none. */
  readonly unit: string | undefined;
}

/**
 * Things on the bus, whoever says them: the device service, the player, or another service. A property is named
 * `<thing>/<node>/<property>`; a thing file that lists its properties directly has one node called `main`.
 */
export interface Things {
  /**
   * Calls the listener with the property's value now, if it has one, and with each that follows; the same value may come again. It is a number
   * for `float` and `integer`, a boolean for `boolean`, and else text. Nothing comes before the thing has described itself. What the
   * listener throws is logged.
   * @param path such as `greenhouse/main/temperature`
   * @returns ends it
   * @throws Problem `invalid-value` for another kind of path
   */
  watch(path: string, listener: (value: Value, facts: ValueFacts) => Promise<void> | void): () => void;
  /**
   * Calls the listener with the thing's state now, and whenever it changes: a rule that moves something wants to know when its sensor is
   * not `ready`. A thing that was removed is `disconnected`; one whose service crashed is `lost`.
   * @param thing such as `greenhouse`
   * @returns ends it
   * @throws Problem `invalid-value` for what is no id
   */
  watchState(thing: string, listener: (state: DeviceState) => Promise<void> | void): () => void;
  /**
   * Sets a property, and waits until the thing says that it is so. A property that is not retained (a happening, such as "next track") never
   * says so: there the broker's word is enough.
   * @param path such as `greenhouse/main/fan`
   * @param value within the property's limits; a number is rounded to its step
   * @param options `withinMs`: how long to wait for the thing's answer, ms; default 10,000
   * @returns the value that the thing has then: another one when it can only come near
   * @throws Problem `not-found`, `not-settable`, `invalid-value` before anything is sent; `command-rejected` with the thing's reason;
   * `command-timed-out` when it does not answer; `bus-away`
   */
  command(path: string, value: Value, options?: { withinMs?: number }): Promise<Value>;
}

export interface ThingsPorts {
  bus: Bus;
  /** The box's id. */
  edge: string;
  clock: Clock;
  log: Logger;
  /** When it ends, listeners are no longer called; commands still go, so that a service can leave its things as it should. */
  signal: AbortSignal;
}

/** {@link Things} by what Homie 5 says on the bus. */
export class BusThings implements Things {
  readonly #ports: ThingsPorts;

  constructor(ports: ThingsPorts) {
    this.#ports = ports;
  }

  watch(path: string, listener: (value: Value, facts: ValueFacts) => Promise<void> | void): () => void {
    const { edge, clock, log } = this.#ports;
    const address = addressOf(path);
    let property: HomieProperty | undefined;
    let waiting: Message | undefined;
    let last: string | undefined;
    const take = ({ payload, retained }: Message, described: HomieProperty) => {
      const text = payload.toString();
      // what the broker holds comes again with each connection and each subscription to it
      if (text === '' || (retained && text === last)) return;
      last = text;
      const value = readValue(described, payload);
      const { datatype, unit } = described;
      if (value.ok) this.#call(path, () => listener(value.value, { timeMs: clock.now(), retained, datatype, unit }));
      else log.warn({ property: path, payload: shown(text), wanted: value.wanted }, 'value not understood');
    };
    const ends = [
      this.#subscribe(topics.description(edge, address.thing), ({ payload }) => {
        property = propertyOf(descriptionOf(payload), address);
        if (!property && payload.length > 0) log.warn({ property: path }, 'the thing has no such property');
        if (!property || !waiting) return;
        take(waiting, property);
        waiting = undefined;
      }),
      this.#subscribe(topics.property(edge, address), (message) => {
        if (property) take(message, property);
        else waiting = message;
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  watchState(thing: string, listener: (state: DeviceState) => Promise<void> | void): () => void {
    const { edge } = this.#ports;
    if (!ID_PATTERN.test(thing)) throw new Problem('invalid-value', `thing is ${shown(thing)}; an id such as greenhouse is wanted`);
    const states = new Map<string, DeviceState>();
    const ends = new Map<string, () => void>();
    let description: HomieDescription | undefined;
    let told: DeviceState | undefined;
    const follow = (id: string) => {
      if (ends.has(id)) return;
      const end = this.#subscribe(topics.state(edge, id), ({ payload }) => {
        states.set(id, stateOf(payload));
        tell();
      });
      ends.set(id, end);
    };
    const tell = () => {
      const own = states.get(thing);
      const root = description?.root;
      const isKnown = own === 'disconnected' || (description !== undefined && (root === undefined || states.has(root)));
      if (own === undefined || !isKnown) return;
      const state = effectiveState(own, root === undefined ? undefined : states.get(root));
      if (state === told) return;
      told = state;
      this.#call(thing, () => listener(state));
    };
    const endDescription = this.#subscribe(topics.description(edge, thing), ({ payload }) => {
      description = descriptionOf(payload);
      if (description?.root !== undefined) follow(description.root);
      tell();
    });
    follow(thing);
    return () => {
      endDescription();
      for (const end of ends.values()) end();
    };
  }

  async command(path: string, value: Value, { withinMs = ANSWERED_WITHIN_MS }: { withinMs?: number } = {}): Promise<Value> {
    const { bus, edge, clock } = this.#ports;
    const subscribe = (filter: string, handler: (message: Message) => void) => this.#subscribe(filter, handler);
    return await sendCommand({ bus, edge, clock, subscribe }, addressOf(path), value, withinMs);
  }

  #subscribe(filter: string, handler: (message: Message) => void): () => void {
    const { bus, log } = this.#ports;
    let isOver = false;
    const subscribed = bus.subscribe(filter, (message) => {
      if (!isOver) handler(message);
    });
    subscribed.catch((error: unknown) => log.error({ filter, err: error }, 'subscription refused'));
    return () => {
      if (isOver) return;
      isOver = true;
      subscribed.then((unsubscribe) => unsubscribe()).catch(() => {});
    };
  }

  /** What a listener throws, now or later, is logged and stops nobody else. */
  #call(watched: string, listener: () => Promise<void> | void): void {
    const { log, signal } = this.#ports;
    if (signal.aborted) return;
    const failed = (error: unknown) => log.error({ watched, err: asError(error) }, 'listener failed');
    try {
      Promise.resolve(listener()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
