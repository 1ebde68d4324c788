import { EventEmitter } from 'node:events';
import { styleText } from 'node:util';
import type { LogLine } from '@ledge/contract';

const KEPT_LINES = 2000;
const NAME_COLOURS = ['cyan', 'green', 'magenta', 'yellow', 'blue', 'white'] as const;
const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'ERROR', 60: 'FATAL' };

/** The merged log of all services: the newest lines in memory, and who follows them. */
export class MergedLog {
  readonly #lines: LogLine[] = [];
  readonly #followers = new EventEmitter<{ line: [LogLine] }>().setMaxListeners(0);

  add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    this.#followers.emit('line', line);
  }

  /** The newest lines, oldest first. */
  newest(count: number, service?: string): LogLine[] {
    const lines = service ? this.#lines.filter((line) => line.service === service) : this.#lines;
    return count === 0 ? [] : lines.slice(-count);
  }

  follow(listener: (line: LogLine) => void): () => void {
    this.#followers.on('line', listener);
    return () => this.#followers.off('line', listener);
  }
}

function shownField(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message);
  return JSON.stringify(value);
}

/** One line for a terminal: time, service in its colour, level, message, facts. Control characters are shown, not obeyed. */
export function formatLine(line: LogLine, colour: boolean): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  const hash = [...line.service].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const name = paint(NAME_COLOURS[hash % NAME_COLOURS.length] ?? 'white', line.service.padEnd(10));
  const level = LEVELS[line.level] ?? String(line.level);
  const levelFormat = line.level >= 50 ? 'red' : line.level >= 40 ? 'yellow' : 'dim';
  const facts = Object.entries(line.fields).map(([key, value]) => `${key}=${shownField(value)}`);
  const text = `${line.message}${facts.length > 0 ? `  ${paint('dim', facts.join(' '))}` : ''}`;
  const clean = colour ? text.replace(/[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f]/g, '·') : text.replace(/[\x00-\x1f\x7f]/g, '·');
  return `${paint('dim', line.time.slice(11, 19))} ${name} ${paint(levelFormat, level.padEnd(5))} ${clean}`;
}
