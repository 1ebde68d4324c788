import { publishFrame, type Qos } from './frames.ts';

const OVERHEAD_BYTES = 200;

/** An application message on its way. Each form that goes to a socket is encoded once, however many clients receive it. */
export class Message {
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  #payload: Buffer;
  #owned: boolean;
  readonly #frames: (Buffer | undefined)[] = [undefined, undefined, undefined];

  /** `owned` says that the payload is not a view of a receive buffer that will be used again. */
  constructor(topic: string, payload: Buffer, qos: Qos, retain: boolean, owned = false) {
    this.topic = topic;
    this.qos = qos;
    this.retain = retain;
    this.#payload = payload;
    this.#owned = owned;
  }

  get payload(): Buffer {
    return this.#payload;
  }
  /** What it takes in memory while it waits, roughly. */
  get bytes(): number {
    return this.topic.length + this.#payload.length + OVERHEAD_BYTES;
  }

  /** For whoever keeps the message longer than this turn: a view would keep 64 KiB of socket buffer alive, or change under us. */
  keep(): this {
    if (!this.#owned) {
      this.#payload = Buffer.from(this.#payload);
      this.#owned = true;
    }
    return this;
  }

  /** The PUBLISH packet for a subscriber with this QoS. Retain is 0 for messages on their way: [MQTT-3.3.1-9]. */
  frame(qos: Qos): Buffer {
    this.#frames[qos] ??= publishFrame(this.topic, this.#payload, qos, false);
    return this.#frames[qos];
  }
}
