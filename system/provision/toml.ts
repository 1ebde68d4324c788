import type { Source } from './source.ts';
import type { Note } from './wishes.ts';

/** A value, and where its text stands: for a string what is between the quotes. */
export interface TomlValue {
  value: string | boolean | TomlValue[];
  line: number;
  start: number;
  end: number;
}
/** Section name (empty for what stands before the first one), then key. */
export type Toml = Map<string, Map<string, TomlValue>>;

const BARE = /[A-Za-z0-9_.+:-]+/y;
const KEY = /[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'/y;
const ESCAPES: Record<string, string> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b', '"': '"', '\\': '\\' };
const MAX_DEPTH = 5;
const MAX_MISTAKES = 10;

class Wrong extends Error {}

/**
 * Reads the part of TOML 1.0 that files of settings are written in: tables, strings of all four kinds, lists, true and false; numbers and
 * dates stay text. A line that cannot be read is told, and the next one goes on.
 */
export function readToml(source: Source): { toml: Toml; notes: Note[] } {
  const reader = new Reader(source.text);
  const toml: Toml = new Map();
  const notes: Note[] = [];
  let section = new Map<string, TomlValue>();
  toml.set('', section);
  while (reader.skipBlank()) {
    const line = source.line(reader.at);
    try {
      if (reader.text[reader.at] === '[') {
        const name = reader.header();
        section = toml.get(name) ?? new Map<string, TomlValue>();
        toml.set(name, section);
      } else {
        const key = reader.key();
        const value = reader.value((offset) => source.line(offset));
        if (section.has(key)) throw new Wrong(`${key} is here twice`);
        section.set(key, value);
      }
      reader.endOfLine();
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      if (notes.push({ kind: 'mistake', file: source.file, line, message: `${error.message}; the line was left out` }) >= MAX_MISTAKES)
        break;
      reader.skipLine();
    }
  }
  return { toml, notes };
}

class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Goes to the next sign that means something; false at the end. */
  skipBlank(): boolean {
    this.match(/(?:\s|#[^\n]*)*/y);
    return this.at < this.text.length;
  }

  skipLine(): void {
    this.match(/[^\n]*/y);
  }

  endOfLine(): void {
    this.match(/[ \t]*(?:#[^\n]*)?\r?/y);
    if (this.at < this.text.length && this.text[this.at] !== '\n') throw new Wrong('there is something behind the value');
  }

  header(): string {
    const [, name] = this.match(/\[\[?[ \t]*([A-Za-z0-9_."' -]+?)[ \t]*\]\]?/y) ?? [];
    if (name === undefined) throw new Wrong('a section such as [wlan] is wanted');
    return name.replaceAll(/["']/g, '');
  }

  key(): string {
    const [key] = this.match(KEY) ?? [];
    if (key === undefined || !this.match(/[ \t]*=[ \t]*/y)) throw new Wrong('a key and a value such as hostname = "barn" are wanted');
    return key.replace(/^["']|["']$/g, '');
  }

  value(lineOf: (offset: number) => number, depth = 0): TomlValue {
    if (depth > MAX_DEPTH) throw new Wrong('a list goes too deep');
    const line = lineOf(this.at);
    for (const mark of ['"""', "'''", '"', "'"]) if (this.text.startsWith(mark, this.at)) return { ...this.#string(mark), line };
    if (this.text[this.at] === '[') return { ...this.#list(lineOf, depth), line };
    const start = this.at;
    const [word] = this.match(BARE) ?? [];
    if (word === undefined) throw new Wrong('a value is missing or is of a kind that is not read');
    return { value: word === 'true' ? true : word === 'false' ? false : word, line, start, end: this.at };
  }

  #string(mark: string): Omit<TomlValue, 'line'> {
    const start = this.at + mark.length;
    const escapes = mark.startsWith('"');
    for (let end = start; end < this.text.length; end++) {
      const sign = this.text[end];
      if (escapes && sign === '\\') end++;
      else if (mark.length === 1 && sign === '\n') break;
      else if (this.text.startsWith(mark, end)) {
        this.at = end + mark.length;
        const raw = this.text.slice(start, end).replace(mark.length === 3 ? /^\r?\n/ : '', '');
        return { value: escapes ? unescaped(raw) : raw, start, end };
      }
    }
    throw new Wrong('a text is not ended by its quote');
  }

  #list(lineOf: (offset: number) => number, depth: number): Omit<TomlValue, 'line'> {
    const start = this.at++;
    const value: TomlValue[] = [];
    while (this.skipBlank()) {
      if (this.text[this.at] === ']') {
        this.at++;
        return { value, start, end: this.at };
      }
      value.push(this.value(lineOf, depth + 1));
      this.skipBlank();
      if (this.text[this.at] === ',') this.at++;
      else if (this.text[this.at] !== ']') throw new Wrong('a list wants commas between its values');
    }
    throw new Wrong('a list is not ended by ]');
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }
}

function unescaped(raw: string): string {
  return raw.replaceAll(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\r?\n\s*|(.))/gs, (_, short?: string, long?: string, sign?: string) => {
    const code = short ?? long;
    if (code !== undefined) {
      const point = Number.parseInt(code, 16);
      if (point > 0x10ffff) throw new Wrong('a text has a \\U that is no character');
      return String.fromCodePoint(point);
    }
    if (sign === undefined) return '';
    const meant = ESCAPES[sign];
    if (meant === undefined) throw new Wrong(`a text has \\${sign}, which means nothing`);
    return meant;
  });
}
