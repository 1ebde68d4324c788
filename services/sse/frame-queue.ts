export interface QueueLimits {
  queueMessages: number;
  queueBytes: number;
}

/** Frames that wait, bounded in number and bytes. The frames themselves are shared by all readers. */
export class FrameQueue {
  readonly #limits: QueueLimits;
  #frames: Buffer[] = [];
  #head = 0;
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get messages(): number {
    return this.#frames.length - this.#head;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame and drops the oldest beyond the limits; returns how many. The newest stays, however large it is. */
  push(frame: Buffer): number {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    let dropped = 0;
    while (this.messages > 1 && (this.messages > this.#limits.queueMessages || this.#bytes > this.#limits.queueBytes)) {
      this.shift();
      dropped += 1;
    }
    return dropped;
  }

  shift(): Buffer | undefined {
    const frame = this.#frames[this.#head];
    if (!frame) return undefined;
    this.#head += 1;
    this.#bytes -= frame.length;
    // cutting only when half is empty keeps a shift cheap, whatever the length
    if (this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }

  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
