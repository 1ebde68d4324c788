import {
  formatPayload,
  type HomieProperty,
  limitsOf,
  Problem,
  type PropertyAddress,
  parsePayload,
  shown,
  topics,
  type Value,
} from '@ledge/contract';
import type { Bus, Clock, Message } from '../ports.ts';
import { descriptionOf, propertyOf, readValue } from './words.ts';

/** What the broker holds of a thing comes with the subscription; what is not there by then does not exist. */
const DESCRIBED_WITHIN_MS = 2000;
/** Longer than the device service gives a driver, so that its own answer comes first. */
export const ANSWERED_WITHIN_MS = 10_000;

interface CommandPorts {
  bus: Bus;
  edge: string;
  clock: Clock;
  subscribe(filter: string, handler: (message: Message) => void): () => void;
}

/** See `Things.command`. MQTT 3.1.1 has no answers: what the thing says next is one. */
export async function sendCommand(
  { bus, edge, clock, subscribe }: CommandPorts,
  address: PropertyAddress,
  value: Value,
  withinMs: number,
): Promise<Value> {
  const { thing, node, property: id } = address;
  const path = `${thing}/${node}/${id}`;
  if (!bus.connected) throw new Problem('bus-away', `${path} was not set: the broker is away`);
  const described = Promise.withResolvers<HomieProperty>();
  let answer: Answer | undefined;
  const end = subscribe(`${edge}/5/${thing}/#`, ({ topic, payload, retained }) => {
    if (topic === topics.description(edge, thing)) {
      const property = propertyOf(descriptionOf(payload), address);
      if (property) described.resolve(property);
      else described.reject(new Problem('not-found', `${thing} has no property ${node}/${id}`));
    } else if (!retained) answer?.hear(topic, payload);
  });
  const timeIsOver = new AbortController();
  const otherwise = async (ms: number, problem: () => Problem): Promise<never> => {
    await clock.sleep(ms, timeIsOver.signal);
    throw problem();
  };
  try {
    const noThing = () => new Problem('not-found', `There is no thing ${thing}`);
    const property = await Promise.race([described.promise, otherwise(DESCRIBED_WITHIN_MS, noThing)]);
    const wanted = settable(path, property, value);
    const answering = new Answer(edge, address, property, wanted);
    answer = answering;
    await bus.publish(topics.set(edge, address), formatPayload(wanted), { qos: 1 });
    if (property.retained === false) return wanted;
    return await Promise.race([answering.promise, otherwise(withinMs, () => answering.missing(withinMs))]);
  } finally {
    timeIsOver.abort();
    end();
  }
}

/** @throws Problem `not-settable`, `invalid-value` */
function settable(path: string, property: HomieProperty, value: Value): Value {
  if (!property.settable) throw new Problem('not-settable', `${path} is measured; it cannot be set`);
  const parsed = parsePayload(property.datatype, formatPayload(value), limitsOf(property));
  if (!parsed.ok) throw new Problem('invalid-value', `value of ${path} is ${shown(value)}; ${parsed.wanted}`);
  return parsed.value;
}

/**
 * What a thing says after a command, as the device service does (services/device/homie.ts): the value that was wanted; or another one, and then
 * with `$target` that it wants no more; or a warning that says why not.
 */
class Answer {
  readonly #property: HomieProperty;
  readonly #wanted: Value;
  readonly #path: string;
  readonly #topics: { value: string; target: string; warning: string };
  readonly #refusal: string;
  readonly #end = Promise.withResolvers<Value>();
  #said: Value | undefined;
  #intended = false;

  constructor(edge: string, address: PropertyAddress, property: HomieProperty, wanted: Value) {
    this.#property = property;
    this.#wanted = wanted;
    this.#path = `${address.thing}/${address.node}/${address.property}`;
    this.#refusal = `${address.node}/${address.property} was not set: `;
    this.#topics = {
      value: topics.property(edge, address),
      target: topics.target(edge, address),
      warning: topics.log(edge, address.thing, 'warn'),
    };
    this.#end.promise.catch(() => {});
  }

  get promise(): Promise<Value> {
    return this.#end.promise;
  }

  hear(topic: string, payload: Buffer): void {
    if (topic === this.#topics.warning) {
      const text = payload.toString();
      if (!text.startsWith(this.#refusal)) return;
      this.#end.reject(new Problem('command-rejected', `${this.#path} was not set: ${text.slice(this.#refusal.length)}`));
    } else if (topic === this.#topics.value) {
      this.#said = this.#parsed(payload);
      if (this.#said === this.#wanted) this.#end.resolve(this.#wanted);
    } else if (topic === this.#topics.target) {
      const target = this.#parsed(payload);
      if (target === this.#wanted) this.#intended = true;
      else if (this.#intended && target !== undefined && target === this.#said) this.#end.resolve(target);
    }
  }

  missing(withinMs: number): Problem {
    const has = this.#said === undefined ? '' : `; it says ${shown(this.#said)}`;
    return new Problem('command-timed-out', `${this.#path} did not become ${shown(this.#wanted)} within ${withinMs} ms${has}`);
  }

  #parsed(payload: Buffer): Value | undefined {
    const parsed = readValue(this.#property, payload);
    return parsed.ok ? parsed.value : undefined;
  }
}
