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
const HEADER_BYTES_MOST = 1 + LENGTH_BYTES_MOST;
const CARRY_START_BYTES = 1024;

/**
 * Cuts a stream of bytes into whole MQTT packets. Packets are views of the chunks that were pushed; only one that lies across chunks is
 * copied together, into a buffer that doubles, so that a large packet in crumbs costs no more and an announced one nothing until it comes.
 */
export class FrameCutter {
  readonly #chunks: Buffer[] = [];
  /** Offset in the first chunk. */
  #at = 0;
  #held = 0;
  /** The beginning of a packet that goes on in the next chunk. */
  #carry: Buffer | undefined;
  #carried = 0;

  /** Bytes that have not been looked at; what there is of an unfinished packet is not among them. */
  get held(): number {
    return this.#held;
  }
  /** Bytes of a packet that goes on in the next chunk. */
  get unfinished(): number {
    return this.#carry ? this.#carried : 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#held += chunk.length;
  }

  /** The next whole packet; undefined when more bytes are needed. Throws {@link Fault} for one of more than `mostBytes`. */
  next(mostBytes: number): Buffer | undefined {
    for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
      const from = this.#at;
      const frame = this.#carry ? this.#complete(this.#carry, chunk, mostBytes) : this.#cut(chunk, mostBytes);
      this.#held -= this.#at - from;
      if (this.#at === chunk.length) {
        this.#chunks.shift();
        this.#at = 0;
      }
      if (frame) return frame;
    }
    return undefined;
  }

  /** A packet that is wholly in the chunk, or undefined and the rest of the chunk is carried over. */
  #cut(chunk: Buffer, mostBytes: number): Buffer | undefined {
    const length = frameLength(chunk, this.#at, chunk.length, mostBytes);
    const end = this.#at + length;
    if (length > 0 && end <= chunk.length) {
      const frame = chunk.subarray(this.#at, end);
      this.#at = end;
      return frame;
    }
    this.#carried = chunk.length - this.#at;
    this.#carry = Buffer.allocUnsafe(Math.max(CARRY_START_BYTES, this.#carried));
    chunk.copy(this.#carry, 0, this.#at);
    this.#at = chunk.length;
    return undefined;
  }

  /** Takes what is missing of the carried packet; first its length, byte by byte, then its body. */
  #complete(carry: Buffer, chunk: Buffer, mostBytes: number): Buffer | undefined {
    let length = frameLength(carry, 0, this.#carried, mostBytes);
    while (length === 0 && this.#at < chunk.length && this.#carried < HEADER_BYTES_MOST) {
      carry[this.#carried++] = chunk.readUInt8(this.#at++);
      length = frameLength(carry, 0, this.#carried, mostBytes);
    }
    if (length === 0) return undefined;
    const taken = Math.min(length - this.#carried, chunk.length - this.#at);
    const room = this.#carried + taken <= carry.length ? carry : this.#grow(carry, Math.min(length, (this.#carried + taken) * 2));
    chunk.copy(room, this.#carried, this.#at, this.#at + taken);
    this.#at += taken;
    this.#carried += taken;
    if (this.#carried < length) return undefined;
    this.#carry = undefined;
    return room.subarray(0, length);
  }

  #grow(carry: Buffer, bytes: number): Buffer {
    const bigger = Buffer.allocUnsafe(bytes);
    carry.copy(bigger, 0, 0, this.#carried);
    this.#carry = bigger;
    return bigger;
  }
}

/** Length of the packet that begins at `at`, header included; 0 when the bytes up to `end` do not tell it. MQTT 3.1.1, 2.2.3. */
function frameLength(data: Buffer, at: number, end: number, mostBytes: number): number {
  let length = 0;
  let factor = 1;
  for (let i = 1; i <= LENGTH_BYTES_MOST; i++) {
    if (at + i >= end) return 0;
    const byte = data.readUInt8(at + i);
    length += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      const total = 1 + i + length;
      if (total > mostBytes) throw new Fault(`sent a packet of ${total} bytes; ${mostBytes} are allowed`, 'packetBytes');
      return total;
    }
  }
  throw new Fault('sent a packet whose length is malformed');
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
