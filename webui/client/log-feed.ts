import type { LogLine } from '@ledge/contract';
import { type Signal, signal } from '@preact/signals';
import type { Api } from './api.ts';
import { urlOf } from './ask.ts';
import { EventParser, type StreamedEvent } from './event-parser.ts';
import { SILENCE_MS } from './stream.ts';

/** A line of the log, or the place where lines were left out. */
export type LogEntry = { readonly id: number } & ({ readonly line: LogLine } | { readonly dropped: number });
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export interface LogFilter {
  service?: string | undefined;
  level: LogLevel;
  text?: string | undefined;
}

export const MAX_LINES = 1000;
const FIRST_LINES = 200;
/** Lines are shown in groups: a busy log must not cost a redraw for each. */
const SHOW_EVERY_MS = 200;
const RETRY_MS = 2000;

/** The live log: the last lines, then what comes, at most {@link MAX_LINES}; comes back by itself when the line breaks. */
export class LogFeed {
  readonly entries: Signal<readonly LogEntry[]> = signal([]);
  readonly state: Signal<'connecting' | 'live' | 'away'> = signal('connecting');
  /** Why the box does not give its log. */
  readonly error: Signal<unknown> = signal(undefined);
  readonly paused: Signal<boolean> = signal(false);
  /** How many lines wait behind the pause. */
  readonly waiting: Signal<number> = signal(0);
  readonly #api: Api;
  readonly #filter: LogFilter;
  readonly #after: (ms: number, task: () => void) => () => void;
  #arrived: LogEntry[] = [];
  /** The log is said anew: what was seen before makes room with the next lines. */
  #anew = false;
  #lastId = 0;
  #cancelShow: (() => void) | undefined;
  #stopped = new AbortController();

  constructor(api: Api, filter: LogFilter, after: (ms: number, task: () => void) => () => void) {
    this.#api = api;
    this.#filter = filter;
    this.#after = after;
  }

  start(): void {
    this.#stopped = new AbortController();
    this.error.value = undefined;
    this.state.value = 'connecting';
    void this.#run(this.#stopped.signal);
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancelShow?.();
    this.#cancelShow = undefined;
  }

  pause(paused: boolean): void {
    this.paused.value = paused;
    if (!paused) this.#show();
  }

  async #run(stopped: AbortSignal): Promise<void> {
    for (let last = FIRST_LINES; !stopped.aborted; last = MAX_LINES) {
      try {
        await this.#read(last, stopped);
      } catch (error) {
        if (stopped.aborted) return;
        // what was seen once stays; only a log that never came is an error
        if (this.state.peek() === 'connecting') this.error.value = error;
      }
      if (stopped.aborted) return;
      if (this.error.peek() === undefined) this.state.value = 'away';
      await new Promise<void>((resolve) => {
        this.#after(RETRY_MS, resolve);
        stopped.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async #read(last: number, stopped: AbortSignal): Promise<void> {
    const line = new AbortController();
    const breakOff = () => line.abort();
    stopped.addEventListener('abort', breakOff, { once: true });
    let cancelSilence = this.#after(SILENCE_MS, breakOff);
    try {
      const url = urlOf('server', '/logs', {}, { ...this.#filter, last });
      const response = await this.#api.send(url, { headers: { Accept: 'text/event-stream' }, signal: line.signal });
      if (!response.body) return;
      this.#arrived = [];
      this.#anew = true;
      this.error.value = undefined;
      this.state.value = 'live';
      const parser = new EventParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        cancelSilence();
        cancelSilence = this.#after(SILENCE_MS, breakOff);
        for (const event of parser.feed(decoder.decode(chunk.value, { stream: true }))) this.#take(event);
      }
    } finally {
      cancelSilence();
      stopped.removeEventListener('abort', breakOff);
    }
  }

  #take({ event, data }: StreamedEvent): void {
    if (event !== 'line' && event !== 'dropped') return;
    const content = JSON.parse(data) as LogLine | { count: number };
    this.#lastId += 1;
    this.#arrived.push('count' in content ? { id: this.#lastId, dropped: content.count } : { id: this.#lastId, line: content });
    if (this.#arrived.length > 2 * MAX_LINES) this.#arrived = this.#arrived.slice(-MAX_LINES);
    this.#cancelShow ??= this.#after(SHOW_EVERY_MS, () => {
      this.#cancelShow = undefined;
      if (this.paused.peek()) this.waiting.value = Math.min(MAX_LINES, this.#arrived.length);
      else this.#show();
    });
  }

  #show(): void {
    this.waiting.value = 0;
    if (this.#arrived.length === 0) return;
    const before = this.#anew ? [] : this.entries.peek();
    this.entries.value = [...before, ...this.#arrived].slice(-MAX_LINES);
    this.#arrived = [];
    this.#anew = false;
  }
}
