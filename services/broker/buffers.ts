const LARGE_BYTES = 65_536;
/** Below this Node's own pool does as well. */
const SMALL_BYTES = 4096;
const KEPT_MOST = 64;

/** Large buffers that are used again: garbage outside the heap is collected late, and a flood makes 100 MB of it. */
export class Buffers {
  readonly #free: Buffer[] = [];

  /** The parts in one buffer; it may be longer than they are together. */
  join(parts: readonly Buffer[], bytes: number): Buffer {
    if (bytes < SMALL_BYTES || bytes > LARGE_BYTES) return Buffer.concat(parts, bytes);
    const joined = this.#free.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
    let at = 0;
    for (const part of parts) at += part.copy(joined, at);
    return joined;
  }

  /** Takes a buffer of {@link join} back. */
  release(buffer: Buffer): void {
    if (buffer.length === LARGE_BYTES && this.#free.length < KEPT_MOST) this.#free.push(buffer);
  }
}
