import type { Outcome } from './apply.ts';
import type { Note } from './wishes.ts';

/** What an import did: `system/import-report.json`, for pages and programs. Has no secrets. */
export interface ImportReport {
  format: 1;
  /** ISO 8601, by the box's clock at that start, which may be wrong before it has a network. */
  at: string;
  box: string;
  /** Where the pages are, once the box is in a network. */
  address: string;
  files: string[];
  outcomes: Outcome[];
  notes: Note[];
  /** Secrets that were overwritten on the card at this start. */
  wiped: number;
  /** What went wrong with the card itself, such as that it cannot be written. */
  problems: string[];
}

/** The report as people read it on their computer. */
export function reportText(report: ImportReport): string {
  const { at, box, address, files, outcomes, notes, wiped, problems } = report;
  const done = outcomes.filter(({ result }) => result === 'done');
  const lines = [
    'LEDGE: WHAT BECAME OF THE FILES ON THIS CARD',
    '',
    `Box       ${box}`,
    `Address   ${address}   (from a computer in the same network)`,
    `Written   ${at.slice(0, 16).replace('T', ' ')} UTC, by the box's clock at its start`,
    `Files     ${files.join(', ') || 'none: see ledge.yaml.example for what you can write into ledge.yaml'}`,
  ];
  const section = (title: string, items: readonly string[]) => {
    if (items.length > 0) lines.push('', title, ...items.map((item) => `  ${item}`));
  };
  section('TO BE CORRECTED', [
    ...outcomes.filter(({ result }) => result === 'impossible').map((o) => `${place(o)}${o.what}: ${o.why}`),
    ...notes.filter(({ kind }) => kind === 'mistake').map(noteText),
  ]);
  section('WENT WRONG, AND IS TRIED AGAIN AT THE NEXT START', [
    ...outcomes.filter(({ result }) => result === 'failed').map((o) => `${place(o)}${o.what}: ${o.why}`),
    ...problems,
  ]);
  section(
    'DONE',
    done.map((o) => `${place(o)}${o.what}`),
  );
  section('SAID BY TWO FILES', notes.filter(({ kind }) => kind === 'conflict').map(noteText));
  section('NOT USED', notes.filter(({ kind }) => kind === 'unused').map(noteText));
  if (wiped > 0) {
    section('PASSWORDS', [
      `${wiped === 1 ? 'One was' : `${wiped} were`} taken and overwritten with stars. To change one, write a new one over the stars.`,
    ]);
  }
  return `${lines.join('\n')}\n`;
}

const place = ({ file, line }: { file?: string; line?: number }) => (file ? `${file}${line ? `:${line}` : ''}  ` : '');
const noteText = (note: Note) => `${place(note)}${note.message}`;

/** How much of it a small screen has room for. */
const SCREEN = { lines: 5, characters: 76 };

/** What stands on the box's own screen (issue(5)) while something is to be corrected; undefined when nothing is. */
export function screenText({ outcomes, notes, problems }: ImportReport): string | undefined {
  const wrong = [
    ...outcomes.filter(({ result }) => result !== 'done').map((o) => `${place(o)}${o.what}: ${o.why}`),
    ...notes.filter(({ kind }) => kind === 'mistake').map(noteText),
    ...problems,
  ];
  if (wrong.length === 0) return undefined;
  // in an issue file a backslash is a question to agetty
  const lines = wrong.slice(0, SCREEN.lines).map((line) => `   ${line.replaceAll(/[\\\p{Cc}]/gu, '?').slice(0, SCREEN.characters)}`);
  return `${['   To be corrected on the card (all of it: ledge-report.txt there):', ...lines].join('\n')}\n`;
}

/** The same as lines for a log, the worst first, each with its syslog priority (RFC 5424, 6.2.1). */
export function reportLog({ outcomes, notes, problems, wiped }: ImportReport): { priority: 3 | 4 | 6; text: string }[] {
  return [
    ...problems.map((text) => ({ priority: 3 as const, text })),
    ...outcomes
      .filter(({ result }) => result !== 'done')
      .map((o) => ({ priority: o.result === 'failed' ? (3 as const) : (4 as const), text: `${place(o)}${o.what}: ${o.why}` })),
    ...notes.map((note) => ({ priority: note.kind === 'mistake' ? (4 as const) : (6 as const), text: noteText(note) })),
    ...outcomes.filter(({ result }) => result === 'done').map((o) => ({ priority: 6 as const, text: `${place(o)}${o.what}: done` })),
    ...(wiped > 0 ? [{ priority: 6 as const, text: `${wiped} secrets were overwritten on the card` }] : []),
  ];
}
