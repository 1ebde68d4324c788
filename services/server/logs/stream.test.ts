import { EventEmitter } from 'node:events';
import type { LogLine } from '@ledge/contract';
import type { LogQuery, ServiceManager } from '@ledge/host';
import { fakeClock } from '@ledge/testing';
import type { Response } from 'express';
import { expect, test } from 'vitest';
import { LogStreams, lineFilter, MAX_LOG_READERS, MAX_WAITING_LINES } from './stream.ts';

const line = (message: string, more: Partial<LogLine> = {}): LogLine => ({
  time: '2025-12-31T23:59:59.000Z',
  service: 'device',
  level: 30,
  message,
  fields: {},
  ...more,
});

class Reader extends EventEmitter {
  written: string[] = [];
  slow = false;
  writeHead = () => this;
  flushHeaders = () => {};
  end = () => this.emit('close');
  write(text: string): boolean {
    this.written.push(text);
    return !this.slow;
  }
  get messages(): string[] {
    return this.written.filter((t) => t.startsWith('event: line')).map((t) => (JSON.parse(t.split('data: ')[1] ?? '') as LogLine).message);
  }
}
const asResponse = (reader: Reader) => reader as unknown as Response;

/** A supervisor with lines of the past, and a tap for live ones. */
function source(past: LogLine[]) {
  const queue: LogLine[] = [...past];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const go of waiting.splice(0)) go();
  };
  let over = false;
  const manager: ServiceManager = {
    list: async () => [],
    start: async () => {},
    stop: async () => {},
    restart: async () => {},
    async *logs({ signal }: LogQuery) {
      signal.addEventListener('abort', () => wake());
      while (!signal.aborted && !over) {
        const next = queue.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
  return {
    manager,
    say: (...lines: LogLine[]) => {
      queue.push(...lines);
      wake();
    },
    end: () => {
      over = true;
      wake();
    },
  };
}

test('the last lines that fit come first, then live ones', async () => {
  const clock = fakeClock();
  const { manager, say } = source([line('a'), line('b', { level: 20 }), line('c'), line('d')]);
  const reader = new Reader();
  const left = new AbortController();
  const served = new LogStreams(manager, clock).serve({ level: 'info', last: 2 }, asResponse(reader), left.signal);
  await clock.advance(300);
  expect(reader.messages).toEqual(['c', 'd']);
  say(line('e'), line('f', { level: 20 }));
  await clock.advance(0);
  expect(reader.messages).toEqual(['c', 'd', 'e']);
  left.abort();
  await clock.advance(0);
  await served;
  expect(clock.pendingTimers).toBe(0);
});

test('a busy log goes live at the first line younger than the reader', async () => {
  const clock = fakeClock();
  const { manager, say } = source([line('past')]);
  const reader = new Reader();
  const left = new AbortController();
  void new LogStreams(manager, clock).serve({ level: 'info', last: 0 }, asResponse(reader), left.signal);
  say(line('young', { time: '2026-01-01T00:00:00.000Z' }));
  await clock.advance(10);
  expect(reader.messages).toEqual(['young']);
  left.abort();
});

test('a slow reader gets the newest lines and is told how many were left out', async () => {
  const clock = fakeClock();
  const { manager, say } = source([]);
  const reader = new Reader();
  reader.slow = true;
  const left = new AbortController();
  void new LogStreams(manager, clock).serve({ level: 'info', last: 0 }, asResponse(reader), left.signal);
  await clock.advance(500);
  say(...Array.from({ length: MAX_WAITING_LINES + 51 }, (_, i) => line(`${i}`)));
  for (let i = 0; i < 200; i++) await clock.advance(0);
  expect(reader.messages).toEqual(['0']);
  reader.slow = false;
  reader.emit('drain');
  expect(reader.written[1]).toBe('event: dropped\ndata: {"count":50}\n\n');
  expect(reader.messages).toHaveLength(1 + MAX_WAITING_LINES);
  left.abort();
});

test('readers are limited, and places come free again', async () => {
  const clock = fakeClock();
  const { manager } = source([]);
  const streams = new LogStreams(manager, clock);
  const left = new AbortController();
  const open = Array.from({ length: MAX_LOG_READERS }, () =>
    streams.serve({ level: 'info', last: 0 }, asResponse(new Reader()), left.signal),
  );
  await expect(streams.serve({ level: 'info', last: 0 }, asResponse(new Reader()), left.signal)).rejects.toMatchObject({
    code: 'too-many-readers',
  });
  left.abort();
  await clock.advance(300);
  await Promise.all(open);
  const again = streams.serve({ level: 'info', last: 0 }, asResponse(new Reader()), left.signal);
  await clock.advance(300);
  await again;
});

test('a source that ends is told', async () => {
  const clock = fakeClock();
  const { manager, end } = source([line('a')]);
  const reader = new Reader();
  const served = new LogStreams(manager, clock).serve({ level: 'info', last: 10 }, asResponse(reader), new AbortController().signal);
  await clock.advance(10);
  end();
  await clock.advance(300);
  await served;
  expect(reader.messages).toEqual(['a']);
  expect(reader.written.at(-1)).toBe('event: ended\ndata: {}\n\n');
});

test('without a supervisor there are no logs to read', async () => {
  const streams = new LogStreams(undefined, fakeClock());
  await expect(streams.serve({ level: 'info', last: 0 }, asResponse(new Reader()), new AbortController().signal)).rejects.toMatchObject({
    code: 'not-supported',
  });
});

test('text is looked for in the message and the fields', () => {
  const fits = lineFilter({ level: 'info', last: 0, text: 'PUMP' });
  expect(fits(line('pump on'))).toBe(true);
  expect(fits(line('on', { fields: { thing: 'garden-pump' } }))).toBe(true);
  expect(fits(line('lamp on'))).toBe(false);
});
