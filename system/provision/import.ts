import { apply } from './apply.ts';
import { type Card, REPORT_FILE } from './card.ts';
import { FILES, MISNAMED, readFile } from './formats/index.ts';
import { merge } from './merge.ts';
import type { Ports } from './ports.ts';
import { type ImportReport, reportText } from './report.ts';
import { MAX_FILE_BYTES, tooLarge } from './source.ts';
import { finishWipe, planWipe, WIPE_FILE } from './wipe.ts';
import type { Note, Reading } from './wishes.ts';

/** In a folder of the import's own. */
export const STATE_FILE = 'setup/import-state';
export const REPORT_JSON = 'system/import-report.json';

export interface Import {
  card: Card;
  ports: Ports;
  /** The box's id, as in `ledge-a1b2c3d4`. */
  box: string;
  /** What it is called in the network now, as in `ledge-a1b2`. */
  hostname: string;
  /** Folder of the time zones that this machine knows. */
  zoneinfo: string;
  now(): Date;
  warn(message: string): void;
}

/**
 * One import: read, make true, take the secrets away, report, and remember what was seen. In this order a power cut at any moment
 * means that the next start does the same again: what was not yet taken is still on the card.
 */
export async function runImport({ card, ports, box, hostname, zoneinfo, now, warn }: Import): Promise<ImportReport> {
  const problems: string[] = [];
  const attempt = async (what: string, act: () => unknown) => {
    try {
      await act();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  let waiting = new Map<string, Buffer>();
  await attempt('what was left half overwritten cannot be looked at', () => {
    waiting = finishWipe(card, ports.files);
  });
  if (waiting.size > 0)
    problems.push(`the passwords in ${[...waiting.keys()].join(', ')} are half overwritten, and the card cannot be written`);

  const bytes = new Map<string, Buffer>();
  const readings: Reading[] = [];
  const notes: Note[] = [];
  for (const name of FILES) {
    await attempt(`${name} cannot be read`, () => {
      const size = card.size(name) ?? 0;
      if (size > MAX_FILE_BYTES) return void notes.push(tooLarge(name, size));
      const content = waiting.get(name) ?? card.read(name);
      if (!content) return;
      bytes.set(name, content);
      readings.push(readFile(name, content, zoneinfo));
    });
  }
  for (const [name, meant] of Object.entries(MISNAMED)) {
    if (card.has(name)) notes.push({ kind: 'mistake', file: name, message: `the name is ${name}, so it was not read; ${meant} is wanted` });
  }

  const { wishes, conflicts } = merge(readings);
  const outcomes = await apply(wishes, ports, warn);
  const done = new Set<string>(['unused', ...outcomes.filter(({ result }) => result === 'done').map(({ wish }) => wish)]);

  let wiped = 0;
  // what NetworkManager and others wrote must be there for good before the card forgets it
  await attempt('the settings may not be on the medium yet, so their passwords stay on the card', async () => {
    const secrets = readings.flatMap((reading) => reading.secrets).filter(({ wish }) => done.has(wish));
    if (secrets.length === 0 || waiting.size > 0) return;
    const plan = planWipe(secrets, bytes, ports.files);
    await ports.sync();
    for (const [name, patches] of plan) {
      await attempt(`the passwords in ${name} could not be overwritten`, () => {
        card.overwrite(name, bytes.get(name) ?? Buffer.alloc(0), patches);
        wiped += patches.length;
      });
    }
    if (wiped === secrets.length) ports.files.remove(WIPE_FILE);
  });

  const report: ImportReport = {
    format: 1,
    at: now().toISOString(),
    box,
    address: `http://${wishes.hostname && done.has('hostname') ? wishes.hostname.value : hostname}.local/`,
    files: [...bytes.keys()].filter((name) => name !== 'cmdline.txt'),
    outcomes,
    notes: [...readings.flatMap((reading) => reading.notes), ...notes, ...conflicts],
    wiped,
    problems,
  };
  await attempt('the report could not be written to the card', () => {
    if (!card.report(reportText(report))) warn(`${REPORT_FILE} is missing on the card or has less than 2 KiB; the report is only here`);
  });
  ports.files.write(REPORT_JSON, `${JSON.stringify(report, null, 2)}\n`, 0o644);
  const again = problems.length > 0 || outcomes.some(({ result }) => result === 'failed');
  if (!again) ports.files.write(STATE_FILE, card.checksums([...FILES, ...Object.keys(MISNAMED)]), 0o644);
  return report;
}
