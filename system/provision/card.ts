import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Patch } from './wishes.ts';

export const REPORT_FILE = 'ledge-report.txt';
/** The image ships 16 KiB; less than this is no room for a report. */
const MIN_REPORT_BYTES = 2048;
const PADDING_LINE = `${' '.repeat(78)}\r\n`;

/**
 * The card's FAT partition. Files are only ever overwritten where they lie: no cluster is freed with a secret in it, none is taken, and
 * a power cut leaves old or new bytes.
 */
export class Card {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  has(name: string): boolean {
    return existsSync(join(this.dir, name));
  }

  /** Length of a file in bytes, or undefined where there is none. */
  size(name: string): number | undefined {
    const found = statSync(join(this.dir, name), { throwIfNoEntry: false });
    return found?.isFile() ? found.size : undefined;
  }

  /** The bytes of a file, or undefined where there is none. */
  read(name: string): Buffer | undefined {
    return this.size(name) === undefined ? undefined : readFileSync(join(this.dir, name));
  }

  /**
   * Writes patches over a file and waits until they are on the medium.
   * @param expected the file as it was read; anything else there now is left alone
   * @throws when the card cannot be written, or the file is another one by now
   */
  overwrite(name: string, expected: Buffer, patches: readonly Patch[]): void {
    if (!this.read(name)?.equals(expected)) throw new Error(`${name} was changed while it was read`);
    if (patches.some(({ start, bytes }) => start < 0 || start + bytes.length > expected.length)) {
      throw new RangeError(`a patch goes beyond the end of ${name}`);
    }
    const fd = openSync(join(this.dir, name), constants.O_WRONLY | constants.O_SYNC);
    try {
      for (const { start, bytes } of patches) writeAll(fd, bytes, start);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Writes text over the report that the image has brought, cut to its room and padded with blanks.
   * @returns false when there is no such file or it is too short
   */
  report(text: string): boolean {
    const file = join(this.dir, REPORT_FILE);
    if (!existsSync(file)) return false;
    const fd = openSync(file, constants.O_WRONLY | constants.O_SYNC);
    try {
      const { size } = fstatSync(fd);
      if (size < MIN_REPORT_BYTES) return false;
      writeAll(fd, padded(text, size), 0);
      fsyncSync(fd);
      return true;
    } finally {
      closeSync(fd);
    }
  }

  /** SHA-256 of each file that is there, in the form of `sha256sum`. */
  checksums(names: readonly string[]): string {
    return names.map((name) => (this.size(name) === undefined ? '' : `${sha256(join(this.dir, name))}  ${name}\n`)).join('');
  }
}

/** In pieces: what lies there by one of our names may be anything, as large as the card. */
function sha256(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(64 * 1024);
  const fd = openSync(file, 'r');
  try {
    for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece)) hash.update(piece.subarray(0, length));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

function writeAll(fd: number, bytes: Buffer, start: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, start + done);
}

const MORE = '\r\n... more did not fit here; the journal has it all.\r\n';

/** Text with the line ends of every Notepad, of exactly `size` bytes. */
export function padded(text: string, size: number): Buffer {
  let bytes = Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'));
  if (bytes.length > size) {
    const room = size - MORE.length;
    const end = bytes.lastIndexOf('\r\n', room);
    bytes = Buffer.concat([bytes.subarray(0, end === -1 ? 0 : end), Buffer.from(MORE)]);
  }
  const blanks = Buffer.from(PADDING_LINE.repeat(Math.ceil(size / PADDING_LINE.length) + 1));
  const missing = size - bytes.length;
  // from the end, so that the last line ends whole
  return Buffer.concat([bytes, blanks.subarray(blanks.length - missing)]);
}
