import { shown } from '@ledge/contract';
import { isAlias, isMap, isPair, isScalar, isSeq, Lexer, parseDocument, type Scalar } from 'yaml';
import type { z } from 'zod';
import { type Source, stars, starsAfterIndent } from './source.ts';
import type { Note, Secret, WishId } from './wishes.ts';

/** YAML of a few KiB can take all memory and time when it is read (`[[[[…`); no file of this kind has so many words and signs. */
const MAX_TOKENS = 20_000;
const MAX_DEPTH = 20;
const MAX_MISTAKES = 10;
/** Where the parser's own words would repeat what stands there, which may be half of a password. */
const WORDS_FOR: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'a value that begins with * must stand in quotes',
  TAG_RESOLVE_FAILED: 'a value that begins with ! must stand in quotes',
  BAD_DIRECTIVE: 'a line that begins with % is no YAML here',
  BAD_DQ_ESCAPE: 'a backslash in double quotes has a meaning; single quotes take it as it is',
  UNEXPECTED_TOKEN: 'this is no YAML; a value with special characters must stand in quotes',
};

export type Path = readonly (string | number)[];
/** All scalars are texts: who writes `password: 12345678` or `country: NO` means what stands there. */
export type Plain = string | Plain[] | { [key: string]: Plain };

interface Spot {
  line: number;
  scalar?: Scalar;
  key?: Scalar;
}

/** A YAML file as plain data that knows where each value stands. */
export class Yaml {
  readonly source: Source;
  readonly content: Plain | undefined;
  readonly notes: Note[] = [];
  readonly #spots = new Map<string, Spot>();

  constructor(source: Source) {
    this.source = source;
    this.content = this.#read();
  }

  line(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const spot = this.#spots.get(nameOf(path.slice(0, length)));
      if (spot) return spot.line;
    }
    return 1;
  }

  /** Does something stand at this path, whether it could be read or not? */
  has(path: Path): boolean {
    return this.#spots.has(nameOf(path));
  }

  /** The source text of a map's key, quotes included. */
  keySource(path: Path): string {
    const range = this.#spots.get(nameOf(path))?.key?.range;
    return range ? this.source.text.slice(range[0], range[1]) : '';
  }

  note(kind: Note['kind'], path: Path, message: string): void {
    this.notes.push({ kind, file: this.source.file, line: this.line(path), message });
  }

  /** What takes the value at this path away; undefined where no text stands. */
  secret(path: Path, wish: WishId): Secret | undefined {
    const scalar = this.#spots.get(nameOf(path))?.scalar;
    if (!scalar?.range) return undefined;
    const [start, end] = scalar.range;
    const replacement = covered(this.source.text.slice(start, end), scalar.type);
    return { file: this.source.file, wish, patch: this.source.patch(start, end, replacement) };
  }

  #read(): Plain | undefined {
    const { file, text } = this.source;
    const wrong = (message: string, line?: number) => void this.notes.push({ kind: 'mistake', file, ...(line ? { line } : {}), message });
    let tokens = 0;
    let depth = 0;
    for (const token of new Lexer().lex(text)) {
      if (++tokens > MAX_TOKENS) return wrong(`the file has more than ${MAX_TOKENS} words and signs, so it was not read`);
      if (token === '[' || token === '{') depth++;
      if (token === ']' || token === '}') depth--;
      if (depth > MAX_DEPTH) return wrong(`the file has brackets in more than ${MAX_DEPTH} brackets, so it was not read`);
    }
    try {
      const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, logLevel: 'error' });
      for (const error of document.errors.slice(0, MAX_MISTAKES)) {
        wrong(
          `${WORDS_FOR[error.code] ?? error.message.replace(/\.$/, '')}; nothing of this file was taken`,
          this.source.line(error.pos[0]),
        );
      }
      const content = document.errors.length > 0 || document.contents === null ? undefined : this.#plain(document.contents, []);
      return content === '' ? undefined : content;
    } catch (error) {
      return wrong(`the file cannot be read as YAML${error instanceof RangeError ? `: ${error.message}` : ''}`);
    }
  }

  #plain(node: unknown, path: Path, key?: Scalar): Plain | undefined {
    const range = (key ?? (node as { range?: [number, number, number] } | null))?.range;
    this.#spots.set(nameOf(path), {
      line: range ? this.source.line(range[0]) : this.line(path.slice(0, -1)),
      ...(isScalar(node) ? { scalar: node } : {}),
      ...(key ? { key } : {}),
    });
    if (path.length > MAX_DEPTH) throw new RangeError(`it has more than ${MAX_DEPTH} levels`);
    if (isAlias(node)) {
      this.note(
        'mistake',
        path,
        `${path.join('.')} begins with *, which is an alias in YAML and is not followed; the value in quotes is wanted`,
      );
      return undefined;
    }
    if (isScalar(node)) return node.value === null || node.value === undefined ? undefined : String(node.value);
    if (isSeq(node)) return node.items.map((item, i) => this.#plain(item, [...path, i]) ?? '');
    if (!isMap(node)) return undefined;
    const map: { [key: string]: Plain } = Object.create(null) as { [key: string]: Plain };
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const name = String(pair.key.value ?? '');
      const value = this.#plain(pair.value, [...path, name], pair.key);
      if (value !== undefined) map[name] = value;
    }
    return map;
  }
}

const nameOf = (path: Path) => JSON.stringify(path);

/** As many bytes that say nothing, and are still YAML text. Without quotes a star would begin an alias. */
function covered(raw: string, type: Scalar['type']): string {
  if (type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED') {
    const head = raw.indexOf('\n') + 1;
    const [first = '', ...rest] = raw.slice(head).split('\n');
    const indent = /^[ \t]*/.exec(first)?.[0] ?? '';
    return (
      raw.slice(0, head) +
      [indent + stars(first.slice(indent.length)), ...rest.map((line) => starsAfterIndent(`\n${line}`).slice(1))].join('\n')
    );
  }
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return raw.slice(0, 1) + starsAfterIndent(raw.slice(1, -1)) + raw.slice(-1);
  const hidden = starsAfterIndent(raw);
  return hidden.length < 2 ? '~' : `"${hidden.slice(1, -1)}"`;
}

export const isRecord = (value: Plain | undefined): value is { [key: string]: Plain } => typeof value === 'object' && !Array.isArray(value);

/** A value as the schema takes it; what it does not take is told with its place, and a secret without its value. */
export function take<S extends z.ZodType>(
  yaml: Yaml,
  path: Path,
  value: Plain | undefined,
  schema: S,
  isSecret = false,
): z.output<S> | undefined {
  if (value === undefined) {
    yaml.note('mistake', path, `${path.join('.')} has no value; write one, or leave the line out`);
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = path.join('.');
  yaml.note('mistake', path, `${key}${isSecret ? ': ' : ` is ${shown(value)}; `}${issue?.message ?? 'another value is wanted'}`);
  return undefined;
}
