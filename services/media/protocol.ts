import { Problem, shown } from '@ledge/contract';

/**
 * The words of mplayer's slave mode (DOCS/tech/slave.txt, input/input.c), as bytes and back. Pure.
 *
 * Its `run` command is a shell, and both `\n` and `\r` end a command: control characters are refused here, never escaped.
 */

/** input.c, MP_CMD_MAX_SIZE: a longer line is dropped whole, with its newline and the final zero counted. */
export const MAX_LINE_BYTES = 4095;

const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Prefix that leaves pause as it is; `pausing_keep` would play a frame at each question. */
const KEEP = 'pausing_keep_force';

/**
 * One argument in quotes. mplayer looks for the closing quote before it takes backslashes away, so a text that ends in a backslash cannot be
 * said (mplayer 1.5 aborts on it), and a quote that does not occur in the text is better than an escaped one.
 * @throws Problem `invalid-value` for what cannot be said safely.
 */
export function quoted(text: string): string {
  const refuse = (wanted: string) => new Problem('invalid-value', `source is ${shown(text)}; ${wanted}`);
  if (CONTROL.test(text) || !text.isWellFormed()) throw refuse('text without control characters is wanted');
  if (text === '') throw refuse('a file or an http(s) address is wanted');
  if (text.endsWith('\\')) throw refuse('a name that does not end in a backslash is wanted');
  const quote = text.includes('"') && !text.includes("'") ? "'" : '"';
  return `${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** Ends a command. @throws Problem `invalid-value` when mplayer would drop it for its length. */
function line(command: string): string {
  const bytes = Buffer.byteLength(command) + 1;
  if (bytes > MAX_LINE_BYTES) throw new Problem('invalid-value', `source has ${bytes} bytes; at most ${MAX_LINE_BYTES} are wanted`);
  return `${command}\n`;
}

export type NumberProperty = 'time_pos' | 'length';
export type FlagProperty = 'pause';

/** Every line that may reach mplayer's stdin. */
export const commands = {
  load: (source: string) => line(`loadfile ${quoted(source)}`),
  stop: () => line('stop'),
  togglePause: () => line('pause'),
  /** Type 2: to an absolute position. */
  seek: (positionS: number) => line(`${KEEP} seek ${positionS.toFixed(3)} 2`),
  volume: (percent: number) => line(`${KEEP} volume ${Math.round(percent)} 1`),
  get: (property: NumberProperty | FlagProperty) => line(`${KEEP} get_property ${property}`),
  /** Answered in every state, idle too: whoever hears the answer knows that all before it was read. */
  fence: () => line(`${KEEP} get_property osdlevel`),
} as const;

export const FENCE_NAME = 'osdlevel';

/** mplayer.h: why a track ended. A killed decoder says nothing. */
const EOF_REASONS: Record<number, 'end' | 'replaced' | 'stopped'> = {
  1: 'end',
  2: 'replaced',
  3: 'replaced',
  4: 'stopped',
  [-1]: 'replaced',
};

export type Reply =
  | { type: 'answer'; name: string; value: string }
  | { type: 'error'; reason: string }
  | { type: 'loading' }
  | { type: 'started' }
  | { type: 'output'; driver: string }
  | { type: 'eof'; reason: 'end' | 'replaced' | 'stopped' }
  | { type: 'stream-title'; title: string }
  | { type: 'station'; name: string };

/** What a line of mplayer's stdout says; undefined for chatter. `ANS_ERROR` names no property and never means that a track ended. */
export function parseLine(text: string): Reply | undefined {
  const error = /^ANS_ERROR=(.*)$/.exec(text);
  if (error) return { type: 'error', reason: error[1] ?? '' };
  const answer = /^ANS_([\w/]+)=(.*)$/.exec(text);
  if (answer) return { type: 'answer', name: answer[1] ?? '', value: answer[2] ?? '' };
  if (text.startsWith('Playing ')) return { type: 'loading' };
  if (text === 'Starting playback...') return { type: 'started' };
  const output = /^AO: \[([\w-]+)\] /.exec(text);
  if (output) return { type: 'output', driver: output[1] ?? '' };
  const eof = /^EOF code: (-?\d+)\s*$/.exec(text);
  if (eof) return { type: 'eof', reason: EOF_REASONS[Number(eof[1])] ?? 'end' };
  if (text.startsWith('ICY Info:')) {
    const title = streamTitle(text);
    return title === undefined ? undefined : { type: 'stream-title', title };
  }
  const station = /^Name {3}: (.*)$/.exec(text);
  if (station) return { type: 'station', name: clean(station[1] ?? '') };
  return undefined;
}

/** `StreamTitle='…';` may hold quotes itself, and mplayer cuts the line at 256 bytes: the end may be missing. */
function streamTitle(text: string): string | undefined {
  const [, title] = /StreamTitle='(.*?)(?:';(?:\s*Stream\w+=.*)?|'?)$/.exec(text) ?? [];
  return title === undefined ? undefined : clean(title);
}

const clean = (text: string) =>
  text
    .replace(/[\p{Cc}\u2028\u2029\ufffd]+/gu, ' ')
    .trim()
    .slice(0, 200);

/** Stations say titles in UTF-8 or, older ones, in Windows-1252. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** Longest line that is kept; nothing that we read is longer. */
const MAX_REPLY_BYTES = 8192;

/** Cuts a stream of bytes into lines. A line that never ends does not fill the memory: it is dropped. */
export class LineReader {
  #rest: Buffer = Buffer.alloc(0);
  #dropping = false;
  readonly #onLine: (text: string) => void;

  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    let data = Buffer.concat([this.#rest, chunk]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      const bytes = data.subarray(0, end);
      data = data.subarray(end + 1);
      if (this.#dropping) this.#dropping = false;
      else this.#onLine(decodeText(bytes).replace(/\r$/, ''));
    }
    if (data.length > MAX_REPLY_BYTES) {
      this.#dropping = true;
      data = Buffer.alloc(0);
    }
    this.#rest = data;
  }
}

/** Most telling lines first: mplayer says several things about one failure. */
const REASONS: readonly [pattern: RegExp, sentence: (match: RegExpExecArray) => string][] = [
  [/^File not found: /, () => 'the file is not there'],
  [/Permission denied/, () => 'the file may not be read'],
  [/HTTP error (\d{3}) ?(.*)$/, ([, code, text]) => `the server answers ${code} ${text ?? ''}`.trim()],
  [/Server returned (\d{3}):? ?(.*)$/i, ([, code, text]) => `the server answers ${code} ${text ?? ''}`.trim()],
  [/Connection refused/, () => 'the server refuses the connection'],
  [/(?:timed out|timeout)/i, () => 'the server does not answer in time'],
  [/No route to host|Network is unreachable/, () => 'the network is unreachable'],
  [/Couldn't resolve name for AF_INET: (.*)$/, ([, host]) => `${host} is not known to the name server`],
  [/Failed to resolve hostname (\S+?):? /, ([, host]) => `${host} is not known to the name server`],
  [/Could not open\/initialize audio device/, () => 'the sound device cannot be opened'],
  [/Cannot find codec|Could not find .*codec/, () => 'mplayer has no codec for it'],
  [/[Pp]laylist parsing disabled/, () => 'it is a playlist, not a stream'],
];

/** Why a track could not be played, from mplayer's stderr (newest last), as the end of a sentence. */
export function reasonOf(stderr: readonly string[]): string {
  for (const [pattern, sentence] of REASONS) {
    for (const text of stderr) {
      const match = pattern.exec(text);
      if (match) return clean(sentence(match));
    }
  }
  return 'it is no sound that mplayer knows';
}
