import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import type { Packet } from 'mqtt-packet';

const { generate, parser } = createRequire(import.meta.url)('mqtt-packet') as typeof import('mqtt-packet');

export interface Login {
  port: number;
  clientId: string;
  username: string;
  password: string;
}

/** A bare MQTT 3.1.1 connection: packets are encoded once and written as bytes, so that a generator costs little. */
export class MqttSocket {
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open({ port, clientId, username, password }: Login): Promise<MqttSocket> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId,
        keepalive: 0,
        username,
        password: Buffer.from(password),
      }),
    );
    const refused = new AbortController();
    socket.once('close', () => refused.abort(new Error(`the broker closed the connection of ${clientId}`)));
    const [connack] = (await once(socket, 'data', { signal: refused.signal })) as [Buffer];
    if (connack[0] !== 0x20 || connack[3] !== 0) throw new Error(`connection refused: ${connack.toString('hex')}`);
    return new MqttSocket(socket);
  }

  static publishBytes(topic: string, payload: string | Buffer, qos: 0 | 1 = 0, messageId = 1): Buffer {
    return generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...(qos ? { messageId } : {}) } as Packet);
  }

  async subscribe(topic: string, qos: 0 | 1 = 0): Promise<void> {
    this.socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] } as Packet));
    await once(this.socket, 'data');
  }

  onPublish(listener: (topic: string, payload: Buffer) => void): void {
    const incoming = parser();
    incoming.on('packet', (packet: Packet) => {
      if (packet.cmd === 'publish') listener(packet.topic, packet.payload as Buffer);
    });
    this.socket.on('data', (data: Buffer) => incoming.parse(data));
  }

  /** Writes, and waits while the socket says that it is full. */
  async write(bytes: Buffer): Promise<void> {
    if (this.socket.write(bytes) || this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.socket.off('drain', done).off('close', done);
        resolve();
      };
      this.socket.on('drain', done).on('close', done);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
