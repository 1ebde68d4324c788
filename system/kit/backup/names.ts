import { Problem, shown } from '@ledge/contract';

/** What SQLite puts beside a database. Here and not in `journal.ts`: what is loaded late must not import `paths.ts`, or the bundles never run it. */
export const SQLITE_SIDES = ['-wal', '-shm', '-journal'] as const;

const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 16;
/** What Windows takes for something else than a plain file. */
const NOT_ON_WINDOWS = /[<>:"|?*]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * A path in a backup leads to a plain file below the data directory, on every system.
 * @throws Problem `backup-damaged` for any other: such a file was made by hand
 */
export function checkBackupPath(path: string, platform = process.platform): void {
  const refuse = (why: string) => new Problem('backup-damaged', `The backup names a file ${shown(path)}, ${why}.`);
  if (!path.isWellFormed() || /[\p{Cc}\\]/u.test(path)) throw refuse('with signs that no file of ours has');
  const steps = path.split('/');
  if (steps.length > MAX_DEPTH) throw refuse(`more than ${MAX_DEPTH} folders deep`);
  for (const step of steps) {
    if (step === '' || step === '.' || step === '..') throw refuse('which leads out of its folder');
    if (Buffer.byteLength(step) > MAX_NAME_BYTES) throw refuse('whose name is too long');
    if (isStaging(step)) throw refuse('which is where backups are worked on');
    if (platform === 'win32' && NOT_ON_WINDOWS.test(step)) throw refuse('a name that Windows does not take');
  }
}

/** Below each top folder: what is to be restored and what was there before; and copies of databases while a backup is made. */
export const stagingName = (service: string) => `.restore-${service}`;
export const copiesName = (service: string) => `.backup-${service}`;
export const isStaging = (name: string) => name.startsWith('.restore-') || name.startsWith('.backup-');
