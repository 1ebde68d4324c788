import { type Check, ok, skipped, warning } from '../check.ts';
import type { Facts } from '../facts.ts';
import { plural } from '../words.ts';

/** One thing that a person should correct, or that did not work. */
export interface ImportMistake {
  file?: string;
  line?: number;
  message: string;
}

/** What the last import of files from the card found wrong; undefined where nothing was imported yet. */
export async function importMistakes(facts: Pick<Facts, 'ports'>): Promise<ImportMistake[] | undefined> {
  const text = await facts.ports.files.read(`${facts.ports.dataRoot}/system/import-report.json`);
  return text === undefined ? undefined : mistakesIn(text);
}

/** Reads the report of `@ledge/provision`: problems with the card itself, wishes that did not come true, mistakes in files. */
function mistakesIn(text: string): ImportMistake[] {
  const { problems, outcomes, notes } = JSON.parse(text) as Record<string, unknown>;
  const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);
  const records = (value: unknown) =>
    list(value).filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null);
  const placed = ({ file, line }: Record<string, unknown>, message: string): ImportMistake => ({
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof line === 'number' ? { line } : {}),
    message,
  });
  return [
    ...list(problems).map((problem) => ({ message: String(problem) })),
    ...records(outcomes)
      .filter(({ result }) => result !== 'done')
      .map((outcome) => placed(outcome, `${outcome.what}: ${outcome.why}`)),
    ...records(notes)
      .filter(({ kind }) => kind === 'mistake')
      .map((note) => placed(note, String(note.message))),
  ];
}

/** With its place before it: `ledge.yaml:3: …`. */
export const mistakeWords = ({ file, line, message }: ImportMistake) =>
  file === undefined ? message : `${line === undefined ? file : `${file}:${line}`}: ${message}`;

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
      `${plural(mistakes.length, 'mistake')}, the first: ${mistakeWords(first)}`,
      'none',
      'ledge-report.txt on the card has all of them; correct the file there, and restart',
    );
  },
};
