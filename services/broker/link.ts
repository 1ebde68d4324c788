import type { Duplex } from 'node:stream';
import type { Clock } from '@ledge/kit';
import type { Buffers } from './buffers.ts';
import type { Traffic } from './counters.ts';
import { Fault, FrameCutter } from './frames.ts';
import { type Limits, TokenBucket } from './limits.ts';
import type { Gatherer, Turns, Worker } from './turns.ts';

export type Transport = 'tcp' | 'tls' | 'websocket' | 'wss';
export interface Peer {
  address: string;
  transport: Transport;
}

/** What all links of an engine share. */
export interface LinkHouse {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly limits: Limits;
  readonly buffers: Buffers;
  /** Bytes that wait on all links and in all sessions; links add theirs. */
  waitingBytes: number;
}

/** Who speaks over the link. */
export interface LinkOwner {
  /** True while packets must wait, because an answer that they depend on is being made. */
  readonly busy: boolean;
  /** The largest packet that it takes now. */
  readonly packetBytes: number;
  /** One whole packet; the buffer is good until this returns. Throws {@link Fault} to end the connection. */
  frame(frame: Buffer): void;
  closed(reason: string): void;
  limited(limit: keyof Limits, reason: string): void;
  /** What waited has been written. */
  drained(): void;
}

const TURN_BYTES = 65_536;
/** More than this is not read ahead from one client. */
const READ_AHEAD_BYTES = 65_536;
const CHUNK_BYTES = 65_536;
/** When all queues together are full, a client that holds less than this is still served. */
const FAIR_SHARE_BYTES = 65_536;
/** A client that is told goodbye gets this long to read it. */
const LINGER_MS = 1000;
/** Short enough that a client that is held back keeps its rate evenly, long enough for few timers. */
const REST_MS = 20;

/** One connection as packets: reads as fast as its owner may take them, gathers what is sent in a round and writes it at once. */
export class Link implements Worker, Gatherer {
  readonly peer: Peer;
  heardAtMs: number;
  received = 0;
  sent = 0;
  dropped = 0;
  readonly #stream: Duplex;
  readonly #house: LinkHouse;
  readonly #owner: LinkOwner;
  readonly #cutter = new FrameCutter();
  readonly #bucket: TokenBucket;
  #paused = false;
  #resting: (() => void) | undefined;
  #closed = false;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #chunks: { buffer: Buffer; bytes: number; packets: number }[] = [];
  #waitingBytes = 0;
  #waitingPackets = 0;
  #unfinishedBytes = 0;
  #blocked = false;

  constructor(stream: Duplex, peer: Peer, house: LinkHouse, owner: LinkOwner) {
    this.#stream = stream;
    this.peer = peer;
    this.#house = house;
    this.#owner = owner;
    this.#bucket = new TokenBucket(house.clock);
    this.heardAtMs = house.clock.monotonic();
  }

  start(): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('drain', () => this.#drained());
    stream.on('end', () => this.close('closed the connection'));
    stream.on('error', (error: NodeJS.ErrnoException) => this.close(`the connection broke: ${error.code ?? error.message}`));
    stream.on('close', () => this.close('closed the connection'));
  }

  get queuedMessages(): number {
    return this.#waitingPackets;
  }
  get queuedBytes(): number {
    return this.#waitingBytes + this.#stream.writableLength;
  }
  /** The client reads more slowly than we send. */
  get blocked(): boolean {
    return this.#blocked;
  }
  get closed(): boolean {
    return this.#closed;
  }

  #read(chunk: Buffer): void {
    if (this.#closed) return;
    this.#house.traffic.bytesReceived += chunk.length;
    this.heardAtMs = this.#house.clock.monotonic();
    this.#cutter.push(chunk);
    if (this.#cutter.held > READ_AHEAD_BYTES && !this.#paused) {
      this.#paused = true;
      this.#stream.pause();
    }
    this.continue();
  }

  /** Looks at the packets that wait, because there are new ones or the owner is free again. */
  continue(): void {
    if (!this.#closed && !this.#owner.busy && !this.#resting && this.#cutter.held > 0) this.#house.turns.ready(this);
  }

  turn(most: number): boolean {
    try {
      let bytes = 0;
      for (let left = most; left > 0 && bytes < TURN_BYTES; left--) {
        if (this.#closed || this.#owner.busy) return false;
        const perSecond = this.#house.limits.messagesPerSecond;
        if (!this.#bucket.ready(perSecond)) {
          this.#rest(perSecond);
          return false;
        }
        const frame = this.#cutter.next(this.#owner.packetBytes);
        this.#reckonUnfinished(this.#cutter.unfinished);
        if (!frame) {
          this.#readOn();
          return false;
        }
        this.#bucket.take();
        bytes += frame.length;
        this.received += 1;
        this.#house.traffic.messagesReceived += 1;
        this.#owner.frame(frame);
      }
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof Fault && error.limit !== undefined) this.#owner.limited(error.limit as keyof Limits, reason);
      this.close(reason);
      return false;
    }
  }

  /** Unfinished packets count as waiting: many clients that each send most of a large one must not fill the memory. */
  #reckonUnfinished(bytes: number): void {
    if (bytes === this.#unfinishedBytes) return;
    this.#house.waitingBytes += bytes - this.#unfinishedBytes;
    this.#unfinishedBytes = bytes;
    const { queuedBytesTotal } = this.#house.limits;
    if (bytes < FAIR_SHARE_BYTES || this.#house.waitingBytes < queuedBytesTotal) return;
    throw new Fault(`sends a large packet while ${queuedBytesTotal} bytes wait for all clients together`, 'queuedBytesTotal');
  }

  /** Pushes back on the socket until there is room under the rate again. */
  #rest(perSecond: number): void {
    this.#owner.limited('messagesPerSecond', `sends more than ${perSecond} messages per second; reading slows down`);
    this.#stream.pause();
    this.#paused = true;
    this.#resting = this.#house.clock.after(REST_MS, () => {
      this.#resting = undefined;
      this.#readOn();
      this.continue();
    });
  }

  #readOn(): void {
    if (!this.#paused || this.#cutter.held > READ_AHEAD_BYTES) return;
    this.#paused = false;
    this.#stream.resume();
  }

  /** A QoS 0 message: dropped when this client's queue is full. False when it was. */
  offer(frame: Buffer): boolean {
    const { limits, waitingBytes } = this.#house;
    const full = this.#waitingPackets >= limits.queuedMessages || this.#waitingBytes >= limits.queuedBytes;
    const crowded = waitingBytes >= limits.queuedBytesTotal && this.#waitingBytes >= FAIR_SHARE_BYTES;
    if (this.#blocked && (full || crowded)) {
      this.dropped += 1;
      const limit = this.#waitingPackets >= limits.queuedMessages ? 'queuedMessages' : full ? 'queuedBytes' : 'queuedBytesTotal';
      this.#owner.limited(limit, `reads too slowly; QoS 0 messages for it are dropped while ${this.#waitingPackets} wait`);
      return false;
    }
    this.send(frame);
    return true;
  }

  send(frame: Buffer): void {
    if (this.#closed) return;
    if (this.#gatheredBytes + frame.length > CHUNK_BYTES) this.#pack();
    if (this.#gathered.length === 0) this.#house.turns.gather(this);
    this.#gathered.push(frame);
    this.#gatheredBytes += frame.length;
    this.sent += 1;
    this.#house.traffic.messagesSent += 1;
    this.#waiting(frame.length, 1);
    const { queuedBytesHard } = this.#house.limits;
    if (this.#blocked && this.#waitingBytes > queuedBytesHard) {
      this.#owner.limited('queuedBytesHard', `reads too slowly: ${this.#waitingBytes} bytes wait for it, ${queuedBytesHard} are allowed`);
      this.close(`read too slowly: more than ${queuedBytesHard} bytes waited for it`);
    }
  }

  #waiting(bytes: number, packets: number): void {
    this.#waitingBytes += bytes;
    this.#waitingPackets += packets;
    this.#house.waitingBytes += bytes;
  }

  /** One buffer of ours in place of many: one system call, and no receive buffer is kept alive by what waits. */
  #pack(): void {
    if (this.#gathered.length === 0) return;
    const buffer = this.#house.buffers.join(this.#gathered, this.#gatheredBytes);
    this.#chunks.push({ buffer, bytes: this.#gatheredBytes, packets: this.#gathered.length });
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  flush(): void {
    this.#pack();
    if (this.#blocked || this.#closed) return;
    let written = 0;
    for (const { buffer, bytes, packets } of this.#chunks) {
      written += 1;
      this.#house.traffic.bytesSent += bytes;
      this.#waiting(-bytes, -packets);
      const flows = this.#stream.write(buffer.subarray(0, bytes), (error) => {
        if (!error) this.#house.buffers.release(buffer);
      });
      if (flows) continue;
      this.#blocked = true;
      break;
    }
    this.#chunks.splice(0, written);
  }

  #drained(): void {
    this.#blocked = false;
    this.flush();
    if (!this.#blocked) this.#owner.drained();
  }

  /** Ends the connection after what is gathered now has been written. The first reason counts. */
  close(reason: string): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#house.turns.forget(this);
    this.#resting?.();
    this.#resting = undefined;
    this.#waiting(-this.#waitingBytes, -this.#waitingPackets);
    this.#house.waitingBytes -= this.#unfinishedBytes;
    this.#chunks = [];
    this.#gathered = [];
    this.#stream.removeAllListeners('data');
    this.#stream.resume();
    if (this.#blocked || this.#stream.writableLength === 0) this.#stream.destroy();
    else {
      this.#stream.end();
      const cancel = this.#house.clock.after(LINGER_MS, () => this.#stream.destroy());
      this.#stream.once('close', cancel);
    }
    this.#owner.closed(reason);
  }
}
