import { type LogLine, Problem } from '@ledge/contract';
import type { ServiceManager } from '@ledge/host';
import type { Clock } from '@ledge/kit';
import type { Response } from 'express';

/** pino's numbers. */
export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export const MAX_LOG_READERS = 10;
/** Lines that wait for a reader who reads slowly; then the oldest are left out, and the reader is told. */
export const MAX_WAITING_LINES = 1_000;
const HEARTBEAT_MS = 15_000;
/** With a filter, this many of the newest lines are looked through for the last ones that fit. */
const LOOKED_THROUGH = 1_000;
const FIRST_WITHIN_MS = 200;
const PAST_WITHIN_MS = 200;

export interface LogFilter {
  service?: string | undefined;
  level: keyof typeof LEVELS;
  text?: string | undefined;
  last: number;
}

/** Where each service was started by itself. */
export const nobodyKeepsLogs = () =>
  new Problem(
    'not-supported',
    'Nobody here keeps the logs: each service was started by itself, as in a container. Its engine has them (docker-compose logs).',
  );

/** Log lines to readers as server-sent events: `line` with a {@link LogLine}, `dropped` with a count, `ended` when the source is gone. */
export class LogStreams {
  readonly #manager: ServiceManager | undefined;
  readonly #clock: Clock;
  #readers = 0;

  constructor(manager: ServiceManager | undefined, clock: Clock) {
    this.#manager = manager;
    this.#clock = clock;
  }

  /** Writes until the reader leaves. @throws Problem `not-supported`, `service-away`, `too-many-readers`, before anything was sent */
  async serve(filter: LogFilter, response: Response, signal: AbortSignal): Promise<void> {
    if (!this.#manager) throw nobodyKeepsLogs();
    if (this.#readers >= MAX_LOG_READERS) {
      throw new Problem('too-many-readers', `${MAX_LOG_READERS} people read the logs already.`, { retryAfterS: 10 });
    }
    this.#readers++;
    const queue = new LineQueue(response);
    const stopHeartbeat = this.#clock.every(HEARTBEAT_MS, () => queue.comment());
    const onDrain = () => queue.flush();
    response.on('drain', onDrain);
    try {
      const lines = this.#manager.logs({ ...(filter.service ? { service: filter.service } : {}), last: LOOKED_THROUGH, signal });
      const iterator = lines[Symbol.asyncIterator]();
      const first = iterator.next();
      await Promise.race([first, this.#clock.sleep(FIRST_WITHIN_MS)]); // a source that is away is told as a problem, not on the stream
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store, no-transform',
        'X-Accel-Buffering': 'no',
      });
      response.flushHeaders();
      await this.#pump(first, iterator, filter, queue, signal);
    } finally {
      stopHeartbeat();
      response.off('drain', onDrain);
      this.#readers--;
    }
    response.end();
  }

  async #pump(
    first: Promise<IteratorResult<LogLine>>,
    iterator: AsyncIterator<LogLine>,
    filter: LogFilter,
    queue: LineQueue,
    signal: AbortSignal,
  ): Promise<void> {
    const fits = lineFilter(filter);
    const openedMs = this.#clock.now();
    const past: LogLine[] = [];
    let live = false;
    const goLive = () => {
      if (live) return;
      live = true;
      for (const line of filter.last === 0 ? [] : past.slice(-filter.last)) queue.push(line);
    };
    // the past comes at once; a younger line, or a pause, says that it is over
    const cancelPause = this.#clock.after(PAST_WITHIN_MS, goLive);
    try {
      for (let next = await first; !next.done && !signal.aborted; next = await iterator.next()) {
        const line = next.value;
        if (Date.parse(line.time) >= openedMs) goLive();
        if (!fits(line)) continue;
        if (live) queue.push(line);
        else past.push(line);
      }
      goLive();
      queue.ended();
    } finally {
      cancelPause();
      await iterator.return?.();
    }
  }
}

/** Does a line pass? Text is looked for in the message, the service's name and the fields, without regard to case. */
export function lineFilter({ service, level, text }: LogFilter): (line: LogLine) => boolean {
  const least = LEVELS[level];
  const wanted = text?.toLowerCase();
  return (line) => {
    if (line.level < least || (service !== undefined && line.service !== service)) return false;
    if (!wanted) return true;
    return `${line.service} ${line.message} ${JSON.stringify(line.fields)}`.toLowerCase().includes(wanted);
  };
}

/** Lines on their way to one reader, bounded. */
class LineQueue {
  readonly #response: Response;
  #waiting: LogLine[] = [];
  #dropped = 0;
  #flowing = true;

  constructor(response: Response) {
    this.#response = response;
  }

  push(line: LogLine): void {
    this.#waiting.push(line);
    if (this.#waiting.length > MAX_WAITING_LINES) {
      this.#waiting.shift();
      this.#dropped++;
    }
    if (this.#flowing) this.flush();
  }

  flush(): void {
    this.#flowing = true;
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      this.#flowing = this.#response.write(event('dropped', { count }));
    }
    while (this.#flowing) {
      const line = this.#waiting.shift();
      if (!line) return;
      this.#flowing = this.#response.write(event('line', line));
    }
  }

  comment(): void {
    if (this.#flowing) this.#flowing = this.#response.write(': still here\n\n');
  }

  ended(): void {
    this.flush();
    this.#response.write(event('ended', {}));
  }
}

/** JSON has no raw line breaks, so one `data:` line holds it (WHATWG HTML, "Server-sent events"). */
const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
