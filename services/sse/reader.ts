import { type AccessRule, mayReceive, needsDeliveryCheck, topicMatches } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { FrameQueue, type QueueLimits } from './frame-queue.ts';
import { eventFrame } from './frames.ts';

/** Where the bytes of one reader go; an HTTP response is one. */
export interface Sink {
  /** False when its buffer is full; then the drain listener is called once it takes more. */
  write(chunk: Buffer): boolean;
  onDrain(listener: () => void): void;
  /** Ends in order. */
  end(): void;
  /** Breaks off, whatever is still waiting. */
  destroy(): void;
}
export interface ReaderLimits extends QueueLimits {
  stuckMs: number;
}
export interface ReaderOptions {
  filters: readonly string[];
  rules: readonly AccessRule[];
  sink: Sink;
  clock: Clock;
  limits: ReaderLimits;
  onDrop?: (count: number) => void;
  /** The socket took nothing for `stuckMs`, and was broken off. */
  onStuck?: () => void;
}

/** One open stream. Nobody waits for it: what its socket does not take is queued, and beyond the limit the oldest is dropped. */
export class Reader {
  readonly filters: readonly string[];
  readonly #options: ReaderOptions;
  readonly #checked: boolean;
  readonly #waiting: FrameQueue;
  /** Live messages that came before the retained values were all said. */
  readonly #heldBack: FrameQueue;
  #unsaid = new Set<string>();
  #heldFromId = '';
  #dropped = 0;
  #blocked = false;
  #closed = false;
  #cancelStuck: (() => void) | undefined;

  constructor(options: ReaderOptions) {
    this.filters = options.filters;
    this.#options = options;
    this.#checked = options.filters.some((f) => needsDeliveryCheck(options.rules, f));
    this.#waiting = new FrameQueue(options.limits);
    this.#heldBack = new FrameQueue(options.limits);
  }

  get closed(): boolean {
    return this.#closed;
  }
  get queuedBytes(): number {
    return this.#waiting.bytes + this.#heldBack.bytes;
  }

  start(): void {
    this.#options.sink.onDrain(() => this.#drained());
  }

  /** The filter of this reader under which a topic comes: the first one, so that overlapping filters say it once. */
  filterFor(topic: string): string | undefined {
    if (this.#checked && !mayReceive(this.#options.rules, topic)) return undefined;
    return this.filters.find((f) => topicMatches(f, topic));
  }

  /** Is a retained value, found by `filter` which it matches, this reader's by that filter? */
  takesFrom(filter: string, topic: string): boolean {
    if (!this.#checked && this.filters[0] === filter) return true;
    return this.filterFor(topic) === filter;
  }

  /**
   * Live messages wait from now on, until {@link retainedSaid} came for every filter: so retained values come first, and none of them
   * can undo a newer value. `id` is what came last before.
   */
  holdBack(id: string): void {
    this.#unsaid = new Set(this.filters);
    this.#heldFromId = id;
  }

  /** Only now the reader gets an id to come back with: one that broke off before gets the retained values again. */
  retainedSaid(filter: string): void {
    if (this.#closed || !this.#unsaid.delete(filter)) return;
    const whole = this.#unsaid.size === 0;
    this.sendNow(eventFrame('live', { topic: filter }, whole ? this.#heldFromId : undefined));
    if (!whole) return;
    for (let frame = this.#heldBack.shift(); frame; frame = this.#heldBack.shift()) this.sendNow(frame);
  }

  /** A live message. */
  send(frame: Buffer): void {
    if (this.#closed) return;
    if (this.#unsaid.size > 0) this.#count(this.#heldBack.push(frame));
    else this.sendNow(frame);
  }

  /** A retained value, or word about the stream itself: goes before live messages that are held back. */
  sendNow(frame: Buffer): void {
    if (this.#closed) return;
    if (this.#blocked) this.#count(this.#waiting.push(frame));
    else this.#write(frame);
  }

  /** A heartbeat says nothing new: a reader that has enough to read does without. */
  beat(frame: Buffer): void {
    if (!this.#blocked && !this.#closed) this.#write(frame);
  }

  /** Ends the stream in order. */
  close(): void {
    if (this.#letGo()) this.#options.sink.end();
  }

  /** Breaks the stream off. */
  abandon(): void {
    if (this.#letGo()) this.#options.sink.destroy();
  }

  #letGo(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#cancelStuck?.();
    this.#waiting.clear();
    this.#heldBack.clear();
    return true;
  }

  #count(dropped: number): void {
    if (dropped === 0) return;
    this.#dropped += dropped;
    this.#options.onDrop?.(dropped);
  }

  #write(frame: Buffer): void {
    if (this.#options.sink.write(frame)) return;
    const { clock, limits, onStuck } = this.#options;
    this.#blocked = true;
    this.#cancelStuck?.();
    this.#cancelStuck = clock.after(limits.stuckMs, () => {
      this.abandon();
      onStuck?.();
    });
  }

  #drained(): void {
    if (this.#closed) return;
    this.#cancelStuck?.();
    this.#blocked = false;
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      this.#write(eventFrame('dropped', { count }));
    }
    while (!this.#blocked) {
      const frame = this.#waiting.shift();
      if (!frame) return;
      this.#write(frame);
    }
  }
}
