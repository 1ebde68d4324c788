import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

/** Where people read and type. */
export interface Console {
  line(text?: string): void;
  /** For what went wrong. */
  error(text: string): void;
  /** Columns to fill; 80 where nobody says. */
  readonly columns: number;
  readonly colour: boolean;
  /** Asks and waits for a line; undefined where nobody can answer. */
  ask(question: string): Promise<string | undefined>;
}

/** The text in a style, where the terminal has any. */
export const styled = (console: Pick<Console, 'colour'>, style: Style, text: string) =>
  console.colour && text !== '' ? styleText(style, text, { validateStream: false }) : text;

/** Text from files and other programs must not move the cursor: control characters are shown, not obeyed. */
export const harmless = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '·');

/** Breaks text at blanks into lines of at most `width` characters; longer words are cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(/\s+/).filter(Boolean)) {
    while (word.length > width) {
      if (line !== '') lines.push(line);
      line = '';
      lines.push(word.slice(0, width));
      word = word.slice(width);
    }
    if (word === '') continue;
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** A text below a head: the first line beside it, the others under the text. */
export function beside(console: Pick<Console, 'columns'>, head: string, headWidth: number, text: string): string[] {
  const lines = wrap(harmless(text), Math.max(20, console.columns - headWidth - 1));
  return (lines.length === 0 ? [''] : lines).map((line, index) => (index === 0 ? head + line : ' '.repeat(headWidth) + line).trimEnd());
}

/** Columns as wide as their widest cell, two blanks between; columns named in `right` are set to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, index) => (right.includes(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
