import type { Bus, Logger, Payload } from '@ledge/kit';

interface Said {
  /** What the broker is to hold; undefined clears it. */
  payload: Payload | undefined;
  onItsWay: boolean;
  changed: boolean;
}

/**
 * Retained values, said in the order in which they were given. Of each topic one message is on its way at most, and behind it only the
 * newest waits: a slow broker costs no memory, and a later value never arrives before an earlier one.
 */
export class RetainedTopics {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #topics = new Map<string, Said>();
  #connection = 0;

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  say(topic: string, payload: Payload): void {
    this.#give(topic, payload);
  }

  /** What was given last, if anything. */
  last(topic: string): Payload | undefined {
    return this.#topics.get(topic)?.payload;
  }

  /** Clears the value at the broker. While the broker is away this is remembered, too. */
  clear(topic: string): void {
    this.#give(topic, undefined);
  }

  /** For a fresh connection: nothing is on its way, and of each topic everything is to be said again. */
  forgetWay(): void {
    this.#connection++;
    for (const said of this.#topics.values()) {
      said.onItsWay = false;
      said.changed = true;
    }
  }

  /** Says a topic again, if it was given. */
  repeat(topic: string): void {
    const said = this.#topics.get(topic);
    if (said && !said.onItsWay) this.#send(topic, said);
  }

  #give(topic: string, payload: Payload | undefined): void {
    const said = this.#topics.get(topic) ?? { payload, onItsWay: false, changed: true };
    said.payload = payload;
    said.changed = true;
    this.#topics.set(topic, said);
    if (!said.onItsWay) this.#send(topic, said);
  }

  #send(topic: string, said: Said): void {
    if (!this.#bus.connected) return;
    const connection = this.#connection;
    said.onItsWay = true;
    said.changed = false;
    const { payload = '' } = said;
    this.#bus.publish(topic, payload, { qos: 1, retain: true }).then(
      () => this.#arrived(topic, said, connection),
      (error: unknown) => {
        if (connection !== this.#connection) return;
        said.onItsWay = false;
        said.changed = true;
        if (this.#bus.connected) this.#log.warn({ topic, err: error }, 'retained value not taken');
      },
    );
  }

  #arrived(topic: string, said: Said, connection: number): void {
    if (connection !== this.#connection) return;
    said.onItsWay = false;
    if (said.changed) this.#send(topic, said);
    else if (said.payload === undefined) this.#topics.delete(topic);
  }
}
