/** Bits are moved in pieces, so that one with the seven left over still fits a 32-bit integer. */
const PIECE_BITS = 22;

/** Bytes being written, growing as needed. Integers are LEB128 varints, so that small ones take one byte. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  /** The bytes so far; valid until the next write. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** A whole number from -2^52 to 2^52, zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 … */
  signed(value: number): void {
    this.unsigned(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Whole numbers from 0 to 2^width - 1, `width` bits each, low bits first; the last byte is filled with zeros. */
  packed(values: readonly number[], width: number): void {
    let held = 0;
    let bits = 0;
    for (const value of values) {
      let rest = value;
      for (let left = width; left > 0; left -= PIECE_BITS) {
        const piece = Math.min(left, PIECE_BITS);
        held |= (rest % 2 ** piece) << bits;
        rest = Math.floor(rest / 2 ** piece);
        for (bits += piece; bits >= 8; bits -= 8) {
          this.byte(held & 0xff);
          held >>>= 8;
        }
      }
    }
    if (bits > 0) this.byte(held);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** Bytes after their length. */
  block(bytes: Uint8Array): void {
    this.unsigned(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(value: string): void {
    this.block(Buffer.from(value));
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Reads what {@link ByteWriter} wrote. Throws a RangeError past the end. */
export class ByteReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  byte(): number {
    const value = this.#buffer[this.#position++];
    if (value === undefined) throw new RangeError(`byte ${this.#position} is wanted of ${this.#buffer.length}`);
    return value;
  }

  unsigned(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      if (byte < 0x80) return value + byte * factor;
      value += (byte - 0x80) * factor;
      factor *= 0x80;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  packed(count: number, width: number): number[] {
    const values: number[] = [];
    let held = 0;
    let bits = 0;
    for (let i = 0; i < count; i++) {
      let value = 0;
      let factor = 1;
      for (let left = width; left > 0; left -= PIECE_BITS) {
        const piece = Math.min(left, PIECE_BITS);
        for (; bits < piece; bits += 8) held |= this.byte() << bits;
        value += (held & (2 ** piece - 1)) * factor;
        factor *= 2 ** piece;
        held >>>= piece;
        bits -= piece;
      }
      values.push(value);
    }
    return values;
  }

  double(): number {
    const value = this.#buffer.readDoubleLE(this.#position);
    this.#position += 8;
    return value;
  }

  block(): Buffer {
    const length = this.unsigned();
    const end = this.#position + length;
    if (end > this.#buffer.length) throw new RangeError(`${end} bytes are wanted of ${this.#buffer.length}`);
    const bytes = this.#buffer.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  text(): string {
    return this.block().toString();
  }
}
