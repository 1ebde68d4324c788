/** Longest line that is kept, in bytes; what is longer is dropped up to its line break. */
export const MAX_LINE_BYTES = 16 * 1024;

/**
 * Cuts a stream of bytes into lines at LF, CR or CR LF. Bytes that are no UTF-8 become U+FFFD.
 * Memory is bounded: a line over `maxBytes` is dropped whole, and `onOverlong` is told once for it.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  readonly #onOverlong: () => void;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #dropping = false;

  constructor(onLine: (line: string) => void, options: { maxBytes?: number; onOverlong?: () => void } = {}) {
    this.#onLine = onLine;
    this.#maxBytes = options.maxBytes ?? MAX_LINE_BYTES;
    this.#onOverlong = options.onOverlong ?? (() => {});
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] !== LF && chunk[i] !== CR) continue;
      this.#keep(chunk.subarray(start, i));
      this.#endLine();
      start = i + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Forgets a line that was begun, as after a lost connection. */
  reset(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#dropping = false;
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0 || this.#dropping) return;
    if (this.#bytes + part.length > this.#maxBytes) {
      this.reset();
      this.#dropping = true;
      this.#onOverlong();
      return;
    }
    this.#parts.push(Uint8Array.from(part));
    this.#bytes += part.length;
  }

  #endLine(): void {
    const line = this.#dropping || this.#bytes === 0 ? undefined : this.#decoder.decode(Buffer.concat(this.#parts));
    this.reset();
    if (line !== undefined) this.#onLine(line);
  }
}

const LF = 10;
const CR = 13;
