import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import type { Packet } from 'mqtt-packet';

const { generate } = createRequire(import.meta.url)('mqtt-packet') as typeof import('mqtt-packet');

export type Qos = 0 | 1;

/** Packet types of MQTT 3.1.1, table 2.1, in the high half of the first byte. */
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const SUBACK = 9;

const PAYLOAD_BYTES = 64;
/** The payload begins with nanoseconds of the machine's monotonic clock, in digits, so that it is text for browsers too. */
const STAMP_DIGITS = 20;

const stamp = () => String(process.hrtime.bigint()).padStart(STAMP_DIGITS, '0');

/** Milliseconds since a payload was stamped, also by another process. */
export const delayMs = (payload: string) => Number(process.hrtime.bigint() - BigInt(payload.slice(0, STAMP_DIGITS))) / 1e6;

/** The stamp of the PUBLISH that ends at `end`. */
export const stampOf = (bytes: Buffer, end: number) => bytes.toString('latin1', end - PAYLOAD_BYTES, end - PAYLOAD_BYTES + STAMP_DIGITS);

/** One packet on its way in: `start` and `end` are those of what follows the fixed header. */
export type PacketHandler = (type: number, qos: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts a stream into packets and copies nothing but what a chunk leaves over. */
export class PacketReader {
  readonly #onPacket: PacketHandler;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onPacket: PacketHandler) {
    this.#onPacket = onPacket;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    for (;;) {
      let length = 0;
      let shift = 0;
      let cursor = at + 1;
      let byte = 0x80;
      while (byte >= 0x80 && cursor < bytes.length) {
        byte = bytes[cursor++] ?? 0;
        length += (byte & 0x7f) << shift;
        shift += 7;
      }
      const end = cursor + length;
      if (byte >= 0x80 || end > bytes.length) break;
      const first = bytes[at] ?? 0;
      this.#onPacket(first >> 4, (first >> 1) & 3, bytes, cursor, end);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

/** A PUBLISH that was encoded once; each copy gets its own time and packet id. */
export class PublishTemplate {
  readonly #packet: Buffer;
  readonly #qos: Qos;

  constructor(topic: string, qos: Qos) {
    this.#qos = qos;
    const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
    this.#packet = generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...(qos ? { messageId: 1 } : {}) } as Packet);
  }

  /** `count` packets that say now, with packet ids from `firstId` on. */
  stamped(count: number, firstId = 1): Buffer {
    const { length } = this.#packet;
    const bytes = Buffer.allocUnsafe(length * count);
    const now = stamp();
    for (let i = 0; i < count; i++) {
      const payloadAt = (i + 1) * length - PAYLOAD_BYTES;
      this.#packet.copy(bytes, i * length);
      bytes.write(now, payloadAt, 'latin1');
      if (this.#qos > 0) bytes.writeUInt16BE(((firstId + i - 1) % 0xffff) + 1, payloadAt - 2);
    }
    return bytes;
  }
}

export function puback(bytes: Buffer, start: number): Buffer {
  const idAt = start + 2 + bytes.readUInt16BE(start);
  return Buffer.from([0x40, 2, bytes[idAt] ?? 0, bytes[idAt + 1] ?? 0]);
}

export interface BrokerLogin {
  port: number;
  username?: string;
  password?: string;
}

/** A connection without a client library, so that the generator costs little. Packets go to `onPacket`. */
export async function openClient(
  { port, username, password }: BrokerLogin,
  clientId: string,
  onPacket: PacketHandler,
): Promise<{ socket: Socket; subscribe(topic: string, qos: Qos): Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setNoDelay(true);
  const waiting = new Map<number, () => void>();
  const reader = new PacketReader((type, qos, bytes, start, end) => {
    const wake = waiting.get(type);
    if (!wake) return onPacket(type, qos, bytes, start, end);
    waiting.delete(type);
    wake();
  });
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  const answer = (type: number) => new Promise<void>((resolve) => waiting.set(type, resolve));
  const login = username && password ? { username, password: Buffer.from(password) } : {};
  const connected = answer(CONNACK);
  socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId, keepalive: 0, ...login }));
  await Promise.race([
    connected,
    once(socket, 'close').then(() => {
      throw new Error(`the broker on port ${port} closed the connection of ${clientId}`);
    }),
  ]);
  return {
    socket,
    async subscribe(topic, qos) {
      const subscribed = answer(SUBACK);
      socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] } as Packet));
      await subscribed;
    },
  };
}
