import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

const METAINT = 8000;
const BYTES_PER_S = 16_000;
/** So much is sent ahead of time, as stations do. */
const BURST_BYTES = 64_000;
const TICK_MS = 100;
/** One silent frame of MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes. */
const FRAME = Buffer.concat([Buffer.from('fffb9064', 'hex'), Buffer.alloc(413)]);

/** A small internet radio: endless silent MP3 with ICY titles, that can stall, break off and be away. For tests. */
export class Radio {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  /** Raw bytes of the title said with each block. */
  title: Uint8Array = Buffer.from('Miles Davis - So What');
  /** Nothing more is sent, and nothing is closed. */
  stalled = false;
  /** Connections until now. */
  listeners = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/live`;
  }

  /** On the same port each time. */
  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as { port: number }).port;
  }

  /** Breaks off, and refuses connections. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    await once(server, 'close');
  }

  #serve(socket: Socket): void {
    this.listeners += 1;
    this.#sockets.add(socket);
    const beganMs = performance.now();
    let sent = 0;
    let frames = Buffer.alloc(0);
    const send = () => {
      if (this.stalled) return;
      const dueBytes = BURST_BYTES + ((performance.now() - beganMs) / 1000) * BYTES_PER_S;
      while (sent < dueBytes) {
        while (frames.length < METAINT) frames = Buffer.concat([frames, FRAME]);
        socket.write(Buffer.concat([frames.subarray(0, METAINT), this.#block()]));
        frames = frames.subarray(METAINT);
        sent += METAINT;
      }
    };
    const timer = setInterval(send, TICK_MS);
    socket.once('data', () => {
      socket.write(`HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: Radio One\r\nicy-metaint: ${METAINT}\r\n\r\n`);
      send();
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(timer);
      this.#sockets.delete(socket);
    });
  }

  #block(): Buffer {
    const text = Buffer.concat([Buffer.from("StreamTitle='"), this.title, Buffer.from("';")]);
    const length = Math.ceil(text.length / 16);
    return Buffer.concat([Buffer.from([length]), text, Buffer.alloc(length * 16 - text.length)]);
  }
}
