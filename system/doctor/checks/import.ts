import { type Check, ok, skipped, warning } from '../check.ts';
import type { Facts } from '../facts.ts';
import { plural } from '../words.ts';

export interface ImportMistake {
  file: string;
  line?: number;
  message: string;
}

/** What the last import of files from the card found wrong; undefined where nothing was imported yet. */
export async function importMistakes(facts: Pick<Facts, 'ports'>): Promise<ImportMistake[] | undefined> {
  const text = await facts.ports.files.read(`${facts.ports.dataRoot}/system/import-report.json`);
  if (text === undefined) return undefined;
  return mistakesIn(text);
}

export function mistakesIn(text: string): ImportMistake[] {
  const { notes } = JSON.parse(text) as { notes?: unknown };
  if (!Array.isArray(notes)) return [];
  return (notes as Record<string, unknown>[])
    .filter((note) => note.kind === 'mistake')
    .map(({ file, line, message }) => ({
      file: String(file ?? 'the card'),
      ...(typeof line === 'number' ? { line } : {}),
      message: String(message ?? 'a mistake'),
    }));
}

export const placeOf = ({ file, line }: ImportMistake) => (line === undefined ? file : `${file}:${line}`);

export const importReport: Check = {
  name: 'import',
  title: 'Files on the card',
  imageOnly: true,
  async look(facts) {
    const mistakes = await importMistakes(facts);
    if (mistakes === undefined) return skipped('nothing was imported yet');
    const [first] = mistakes;
    if (!first) return ok('the last import had no mistakes');
    return warning(
      `${plural(mistakes.length, 'mistake')}, the first: ${placeOf(first)}: ${first.message}`,
      'none',
      'ledge-report.txt on the card has all of them; correct the file there, and restart',
    );
  },
};
