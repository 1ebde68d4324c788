import { closeSync, openSync, writeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface ConsoleLine {
  /** Milliseconds since power-on. */
  atMs: number;
  text: string;
}

/** Colours, cursor moves and the like, which U-Boot and systemd send. */
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[78=>c])|\r/g;

/** What comes out of a serial port, line by line with the time since power-on; also written to a log file. */
export class Console {
  readonly lines: ConsoleLine[] = [];
  readonly logFile: string;
  #rest = '';
  #closed = false;
  readonly #stream: Duplex;
  readonly #log: number;
  readonly #powerOnMs: () => number;
  readonly #watchers = new Set<() => void>();

  constructor(stream: Duplex, logFile: string, powerOnMs: () => number) {
    this.#stream = stream;
    this.logFile = logFile;
    this.#powerOnMs = powerOnMs;
    this.#log = openSync(logFile, 'w');
    const decoder = new StringDecoder('utf8');
    stream.on('data', (bytes: Buffer) => this.#read(decoder.write(bytes)));
    stream.on('error', () => {});
    stream.once('close', () => {
      this.#closed = true;
      writeSync(this.#log, this.#rest);
      closeSync(this.#log);
      this.#tell();
    });
  }

  #read(text: string): void {
    const atMs = performance.now() - this.#powerOnMs();
    const parts = (this.#rest + text).replace(ESCAPES, '').split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      this.lines.push({ atMs, text: line });
      writeSync(this.#log, `${(atMs / 1000).toFixed(2).padStart(7)} ${line}\n`);
    }
    this.#tell();
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Types on the keyboard of the terminal. */
  send(text: string): void {
    this.#stream.write(text);
  }

  /** All that was said since line number `from`, the unfinished line included. */
  text(from = 0): string {
    return [...this.lines.slice(from).map(({ text }) => text), this.#rest].join('\n');
  }

  /** Lines so far that match. */
  matching(pattern: RegExp): ConsoleLine[] {
    return this.lines.filter(({ text }) => pattern.test(text));
  }

  /**
   * Resolves with the first line from line number `from` on that matches.
   * @param options.prompt an unfinished line counts too
   * @throws Error after `withinMs`, or when the port closes, with the last lines and the log's name
   */
  async wait(pattern: RegExp, withinMs: number, { from = 0, prompt = false } = {}): Promise<ConsoleLine> {
    let next = from;
    const look = (): ConsoleLine | undefined => {
      for (; next < this.lines.length; next++) {
        const line = this.lines[next];
        if (line && pattern.test(line.text)) return line;
      }
      return prompt && pattern.test(this.#rest) ? { atMs: performance.now() - this.#powerOnMs(), text: this.#rest } : undefined;
    };
    return await new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        settle();
      };
      const fail = (why: string) => {
        const last = this.lines.slice(-8).map(({ text }) => `  ${text}`);
        end(() =>
          reject(new Error(`the console did not say ${pattern} ${why}; it ended with\n${last.join('\n')}\nall of it: ${this.logFile}`)),
        );
      };
      const watcher = () => {
        const line = look();
        if (line) end(() => resolve(line));
        else if (this.#closed) fail('before it closed');
      };
      const timer = setTimeout(() => fail(`within ${withinMs / 1000} s`), withinMs);
      this.#watchers.add(watcher);
      watcher();
    });
  }

  close(): void {
    this.#stream.destroy();
  }
}
