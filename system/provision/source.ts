import { Buffer } from 'node:buffer';
import type { Note, Patch } from './wishes.ts';

/** More than any of these files ever is; what is larger is something else by the same name. */
export const MAX_FILE_BYTES = 128 * 1024;
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A file of the card as text that knows where each character lies in the file. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly #markBytes: number;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string, markBytes = 0) {
    this.file = file;
    this.text = text;
    this.#markBytes = markBytes;
  }

  /** Line of a character offset, from 1. */
  line(offset: number): number {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const next = this.#lineStarts.findIndex((start) => start > offset);
    return next === -1 ? this.#lineStarts.length : next;
  }

  /**
   * Other text for the characters from `start` to before `end`.
   * @throws RangeError when it is not as many bytes
   */
  patch(start: number, end: number, replacement: string): Patch {
    const bytes = Buffer.from(replacement);
    const wanted = Buffer.byteLength(this.text.slice(start, end));
    if (bytes.length !== wanted) throw new RangeError(`a patch of ${bytes.length} bytes for ${wanted}`);
    return { start: this.#markBytes + Buffer.byteLength(this.text.slice(0, start)), bytes };
  }
}

export const tooLarge = (file: string, bytes: number): Note => ({
  kind: 'mistake',
  file,
  message: `the file has ${bytes} bytes; at most ${MAX_FILE_BYTES} are wanted, so it was not read`,
});

/** Reads bytes as text. What is no text is told as a mistake, with its line where it has one. */
export function readSource(file: string, bytes: Buffer): Source | Note {
  const wrong = (message: string, line?: number): Note => ({ kind: 'mistake', file, ...(line ? { line } : {}), message });
  if (bytes.length > MAX_FILE_BYTES) return tooLarge(file, bytes.length);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return wrong('the file is in UTF-16; save it as UTF-8 (Notepad: Save as, Encoding: UTF-8)');
  }
  if (bytes.includes(0)) return wrong('the file is binary; text is wanted');
  const marked = bytes.subarray(0, 3).equals(UTF8_MARK);
  try {
    return new Source(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes), marked ? UTF8_MARK.length : 0);
  } catch {
    return wrong('a character here is not in UTF-8; save the file as UTF-8', firstBadLine(bytes));
  }
}

function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const piece = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (!isUtf8(piece)) return line;
    start += piece.length + 1;
  }
  return line;
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const star = (character: string) => '*'.repeat(Buffer.byteLength(character));

/** Stars in the place of every character but line ends, as many bytes as before. */
export const stars = (text: string): string => text.replaceAll(/[^\r\n]/gu, star);

/** The same, and what lines begin with stays, because in YAML it says what belongs together. */
export const starsAfterIndent = (text: string): string =>
  text
    .split('\n')
    .map((line, i) => {
      const indent = i === 0 ? '' : (/^[ \t]*/.exec(line)?.[0] ?? '');
      return indent + stars(line.slice(indent.length));
    })
    .join('\n');

/** Is it what {@link stars} leaves behind? */
export const isTaken = (value: string): boolean => /^\*[*\s]*$/.test(value);
