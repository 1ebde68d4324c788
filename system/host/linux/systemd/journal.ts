import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type LogLine, Problem } from '@ledge/contract';
import { parseLogLine } from '@ledge/kit';
import { z } from 'zod';
import { serviceOf } from './unit-table.ts';

/** A `journalctl` that runs, as far as it is needed here; the seam for tests. */
export interface JournalProcess {
  lines: AsyncIterable<string>;
  /** Resolves when it is gone, with what it said of the reason: nothing when it ended as told. */
  ended: Promise<string>;
  kill(): void;
}
export type StartJournal = (args: readonly string[]) => JournalProcess;

const FIELDS = ['MESSAGE', 'PRIORITY', '_SYSTEMD_UNIT', 'UNIT', 'COREDUMP_UNIT', 'OBJECT_SYSTEMD_UNIT'];
/** From syslog's priorities (RFC 5424, 6.2.1) to pino's levels. */
const LEVEL_OF_PRIORITY = [60, 60, 60, 50, 40, 30, 30, 20];
const INFO = 30;

/** systemd's "Journal JSON Format": text that is no UTF-8 comes as numbers, and a field that was given twice as a list of texts. */
const textSchema = z.union([
  z.string(),
  z.array(z.int().min(0).max(255)).transform((bytes) => Buffer.from(bytes).toString()),
  z.array(z.string()).transform((texts) => texts.join(' ')),
]);
const entrySchema = z.object({
  MESSAGE: textSchema.optional().catch(undefined),
  PRIORITY: z.coerce.number().int().min(0).max(7).optional().catch(undefined),
  _SYSTEMD_UNIT: z.string().optional().catch(undefined),
  UNIT: z.string().optional().catch(undefined),
  COREDUMP_UNIT: z.string().optional().catch(undefined),
  OBJECT_SYSTEMD_UNIT: z.string().optional().catch(undefined),
  __REALTIME_TIMESTAMP: z.coerce.number().positive().max(8.64e18),
});

/** Newest `last` lines of these units first, then live ones. Names may hold `*`, which stands for units that have written before. */
export const journalArguments = (units: readonly string[], last: number): string[] => [
  '--output=json',
  `--output-fields=${FIELDS.join(',')}`,
  '--all', // fields over 4 KiB would come as null
  '--quiet',
  '--no-pager',
  '--follow',
  `--lines=${last}`,
  ...units.map((unit) => `--unit=${unit}`),
];

/** Reads an entry of the journal; undefined for one that is of no service, or cannot be read. */
export function parseJournalEntry(text: string): LogLine | undefined {
  const entry = readEntry(text);
  if (!entry) return undefined;
  const { MESSAGE = '', PRIORITY, _SYSTEMD_UNIT, UNIT, COREDUMP_UNIT, OBJECT_SYSTEMD_UNIT } = entry;
  const otherwise = {
    level: PRIORITY === undefined ? INFO : (LEVEL_OF_PRIORITY[PRIORITY] ?? INFO),
    timeMs: entry.__REALTIME_TIMESTAMP / 1000,
  };
  // the journal itself says who wrote; the other names may be in anybody's message
  const own = serviceOf(_SYSTEMD_UNIT);
  if (own !== undefined) return parseLogLine(own, MESSAGE, otherwise);
  const about = [UNIT, COREDUMP_UNIT, OBJECT_SYSTEMD_UNIT].map(serviceOf).find((name) => name !== undefined);
  if (about === undefined) return undefined;
  const line = parseLogLine(about, '', otherwise);
  return { ...line, message: MESSAGE, fields: { by: 'systemd' } };
}

function readEntry(text: string): z.output<typeof entrySchema> | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Log lines of units until the signal, or until journalctl ends.
 * @throws Problem `service-away` when the journal cannot be read
 */
export async function* readJournal(
  { units, last, signal }: { units: readonly string[]; last: number; signal: AbortSignal },
  start: StartJournal = startJournalctl,
): AsyncGenerator<LogLine> {
  if (signal.aborted) return;
  const journal = start(journalArguments(units, last));
  const stop = () => journal.kill();
  signal.addEventListener('abort', stop);
  try {
    for await (const text of journal.lines) {
      const line = parseJournalEntry(text);
      if (line) yield line;
    }
    const why = await journal.ended;
    if (why !== '' && !signal.aborted) throw new Problem('service-away', `The journal cannot be read: ${why}`);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** The program itself, with a list of arguments and no shell. */
export const startJournalctl: StartJournal = (args) => {
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (part: Buffer) => {
    complaint = `${complaint}${part}`.slice(-1000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 || code === null ? '' : complaint.trim() || `journalctl ended with ${code}`));
  });
  return { lines: createInterface({ input: child.stdout }), ended, kill: () => void child.kill() };
};
