import { isUtf8 } from 'node:buffer';

/** MQTT 3.1.1, 2.2.1: control packet types. */
export const TYPE = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

export type Qos = 0 | 1 | 2;

/** What a client sent breaks the protocol or a limit; the message is the reason that people read. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly limit: string | undefined;
  constructor(message: string, limit?: string) {
    super(message);
    this.limit = limit;
  }
}

export const packetType = (frame: Buffer) => frame.readUInt8(0) >> 4;

const LENGTH_BYTES_MOST = 4;
const PARTIAL_START_BYTES = 4096;

/** Cuts a stream of bytes into whole MQTT packets. Holds at most one incomplete packet and what was pushed and not yet taken. */
export class FrameCutter {
  #data: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  /** Bytes of the packet at `#at`, once its length is known. */
  #wanted = 0;
  /** `#data` is a buffer of ours and no chunk that was given. */
  #owned = false;

  /** Bytes that are held and not yet taken as packets. */
  get held(): number {
    return this.#end - this.#at;
  }

  push(chunk: Buffer): void {
    if (this.held === 0) {
      this.#data = chunk;
      this.#at = 0;
      this.#end = chunk.length;
      return;
    }
    const needed = this.held + chunk.length;
    if (this.#data.length - this.#at < needed || !this.#owned) this.#grow(needed);
    chunk.copy(this.#data, this.#end);
    this.#end += chunk.length;
  }

  /** Doubling keeps the copying linear when a large packet arrives in crumbs, and takes no memory for bytes that never come. */
  #grow(needed: number): void {
    const bigger = Buffer.allocUnsafe(Math.max(PARTIAL_START_BYTES, needed * 2));
    this.#data.copy(bigger, 0, this.#at, this.#end);
    this.#end -= this.#at;
    this.#at = 0;
    this.#data = bigger;
    this.#owned = true;
  }

  /** The next whole packet, as a view that is good until the next {@link push}; undefined when more bytes are needed. Throws {@link Fault}. */
  next(mostBytes: number): Buffer | undefined {
    if (this.#wanted === 0) this.#wanted = this.#measure(mostBytes);
    if (this.#wanted === 0 || this.held < this.#wanted) return undefined;
    const frame = this.#data.subarray(this.#at, this.#at + this.#wanted);
    this.#at += this.#wanted;
    this.#wanted = 0;
    if (this.held === 0) this.#release();
    return frame;
  }

  #release(): void {
    this.#data = Buffer.alloc(0);
    this.#at = 0;
    this.#end = 0;
    this.#owned = false;
  }

  /** MQTT 3.1.1, 2.2.3: remaining length, one to four bytes of seven bits. */
  #measure(mostBytes: number): number {
    let length = 0;
    for (let i = 1; i <= LENGTH_BYTES_MOST; i++) {
      if (i >= this.held) return 0;
      const byte = this.#data.readUInt8(this.#at + i);
      length += (byte & 0x7f) * 128 ** (i - 1);
      if (byte < 0x80) {
        const total = 1 + i + length;
        if (total > mostBytes) throw new Fault(`sent a packet of ${total} bytes; ${mostBytes} are allowed`, 'packetBytes');
        return total;
      }
    }
    throw new Fault('sent a packet whose length is malformed');
  }
}

/** Where the variable header begins. */
function bodyOffset(frame: Buffer): number {
  let at = 1;
  while (frame.readUInt8(at) >= 0x80) at += 1;
  return at + 1;
}

export interface Publish {
  topic: string;
  payload: Buffer;
  qos: Qos;
  retain: boolean;
  /** Packet identifier; 0 for QoS 0. */
  id: number;
}

/** MQTT 3.1.1, 3.3. The payload is a view of the frame. Throws {@link Fault}. */
export function parsePublish(frame: Buffer): Publish {
  const flags = frame.readUInt8(0);
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw new Fault('sent a PUBLISH with both QoS bits set');
  let at = bodyOffset(frame);
  if (at + 2 > frame.length) throw new Fault('sent a PUBLISH without a topic');
  const topicEnd = at + 2 + frame.readUInt16BE(at);
  if (topicEnd > frame.length) throw new Fault('sent a PUBLISH whose topic is longer than the packet');
  const bytes = frame.subarray(at + 2, topicEnd);
  // [MQTT-1.5.3-1]
  if (!isUtf8(bytes)) throw new Fault('sent a topic that is not UTF-8');
  at = topicEnd;
  let id = 0;
  if (qos > 0) {
    if (at + 2 > frame.length) throw new Fault('sent a PUBLISH without a packet identifier');
    id = frame.readUInt16BE(at);
    // [MQTT-2.3.1-1]
    if (id === 0) throw new Fault('sent a PUBLISH with packet identifier 0');
    at += 2;
  }
  return { topic: bytes.toString('utf8'), payload: frame.subarray(at), qos: qos as Qos, retain: (flags & 1) === 1, id };
}

/** The packet identifier of a PUBACK, PUBREC, PUBREL or PUBCOMP. Throws {@link Fault}. */
export function parseAckId(frame: Buffer): number {
  const wantedFlags = packetType(frame) === TYPE.pubrel ? 2 : 0;
  if (frame.length !== 4 || (frame.readUInt8(0) & 0xf) !== wantedFlags) throw new Fault('sent a malformed acknowledgement');
  return frame.readUInt16BE(2);
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function ackFrame(type: number, id: number): Buffer {
  return Buffer.from([(type << 4) | (type === TYPE.pubrel ? 2 : 0), 2, id >> 8, id & 0xff]);
}

/** A PUBLISH; for QoS 1 and 2 with identifier 0, to be filled in with {@link withId}. */
export function publishFrame(topic: string, payload: Buffer, qos: Qos, retain: boolean): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length;
  const lengthBytes = length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
  const frame = Buffer.allocUnsafe(1 + lengthBytes + length);
  frame[0] = (TYPE.publish << 4) | (qos << 1) | (retain ? 1 : 0);
  let rest = length;
  let at = 1;
  for (let i = 0; i < lengthBytes; i++) {
    const more = i < lengthBytes - 1;
    frame[at++] = (rest & 0x7f) | (more ? 0x80 : 0);
    rest >>= 7;
  }
  at = frame.writeUInt16BE(topicBytes, at);
  at += frame.write(topic, at);
  if (qos > 0) at = frame.writeUInt16BE(0, at);
  payload.copy(frame, at);
  return frame;
}

/** A copy of a QoS 1 or 2 frame with its packet identifier, and DUP set when it was sent before ([MQTT-3.3.1-1]). */
export function withId(template: Buffer, id: number, again: boolean): Buffer {
  const frame = Buffer.from(template);
  if (again) frame[0] = template.readUInt8(0) | 0x08;
  const topicAt = bodyOffset(frame);
  frame.writeUInt16BE(id, topicAt + 2 + frame.readUInt16BE(topicAt));
  return frame;
}
