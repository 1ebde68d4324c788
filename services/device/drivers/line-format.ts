import { createContext, Script } from 'node:vm';
import { Problem, shown } from '@ledge/contract';
import { parsePath, valueAt } from './json-path.ts';

/** Longest line that is looked at, in bytes. */
export const MAX_SERIAL_LINE_BYTES = 4096;
/** Patterns cost more than their line is long: longer lines are not matched. */
export const MAX_MATCHED_CHARACTERS = 512;
export const MAX_PATTERN_CHARACTERS = 200;
/** How long one line may keep a pattern busy. */
const PATTERN_TIMEOUT_MS = 50;
/** So many slow lines in a row are the pattern's fault; one may be a machine that was busy. */
const SLOW_LINES = 3;

export type Field = string | number;
/** Finds a field in a line; undefined when the line has none. */
export type LineReader = (line: string) => (field: Field) => unknown;

export interface LineFormat {
  format: 'json' | 'csv' | 'keyvalue' | 'regex';
  separator: string;
  pattern?: string | undefined;
}

const none = () => undefined;

const readJson: LineReader = (line) => {
  try {
    const document: unknown = JSON.parse(line);
    return (field) => (parsePath(String(field)) ? valueAt(document, String(field)) : undefined);
  } catch {
    return none;
  }
};

/** Columns count from 1. */
const csvReader =
  (separator: string): LineReader =>
  (line) => {
    const columns = line.split(separator).map((column) => column.trim());
    return (field) => columns[Number(field) - 1] || undefined;
  };

/** `temp=21.5 hum:40`, parted by spaces, commas or semicolons. */
const readKeyValue: LineReader = (line) => {
  const pairs = new Map(line.split(/[\s,;]+/).flatMap((part) => (/^([^=:]+)[=:](.+)$/.exec(part) ? [splitPair(part)] : [])));
  return (field) => pairs.get(String(field));
};
function splitPair(part: string): [key: string, value: string] {
  const at = part.search(/[=:]/);
  return [part.slice(0, at), part.slice(at + 1)];
}

/** Why a pattern cannot be used, or undefined. */
export function patternFault(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Groups of a pattern, by name or number. Somebody's pattern may take exponential time: the engine is stopped
 * after {@link PATTERN_TIMEOUT_MS}, and a pattern that is slow again and again is given up.
 */
function patternReader(pattern: string): LineReader {
  const world = createContext({ pattern: new RegExp(pattern), line: '' });
  // the script is ours and constant; only the pattern and the line are data
  const match = new Script('pattern.exec(line)');
  let slowLines = 0;
  let tooSlow: Problem | undefined;
  return (line) => {
    if (tooSlow) throw tooSlow;
    if (line.length > MAX_MATCHED_CHARACTERS) return none;
    world.line = line;
    let found: RegExpExecArray | null;
    try {
      found = match.runInContext(world, { timeout: PATTERN_TIMEOUT_MS }) as RegExpExecArray | null;
      slowLines = 0;
    } catch (cause) {
      slowLines++;
      if (slowLines < SLOW_LINES) return none;
      tooSlow = new Problem(
        'thing-invalid',
        `The pattern ${shown(pattern)} takes longer than ${PATTERN_TIMEOUT_MS} ms for one line; a simpler one is wanted`,
        {
          cause,
        },
      );
      throw tooSlow;
    }
    return (field) => (typeof field === 'number' ? found?.[field] : found?.groups?.[field]);
  };
}

/** The reader of a format. */
export function lineReader({ format, separator, pattern }: LineFormat): LineReader {
  switch (format) {
    case 'json':
      return readJson;
    case 'csv':
      return csvReader(separator);
    case 'keyvalue':
      return readKeyValue;
    case 'regex':
      return patternReader(pattern ?? '');
  }
}
