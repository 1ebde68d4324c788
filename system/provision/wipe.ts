import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Card } from './card.ts';
import { FILES } from './formats/index.ts';
import type { DataFiles } from './ports.ts';
import type { Patch, Secret } from './wishes.ts';

/** In a folder of the import's own: who could write a plan could have it written over the boot script. */
export const WIPE_FILE = 'setup/import-wipe';

/** What a medium writes whole or not at all. */
const SECTOR = 512;

/**
 * What is about to be overwritten, kept while it is: offsets and stars, the SHA-256 of each sector before and of the file afterwards.
 * No secrets.
 */
const planSchema = z.array(
  z.object({
    file: z.enum(FILES),
    before: z.array(z.string()),
    after: z.string(),
    patches: z.array(z.object({ start: z.int().min(0), text: z.string() })),
  }),
);
type Plan = z.infer<typeof planSchema>;

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function sectors(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / SECTOR) }, (_, i) => bytes.subarray(i * SECTOR, (i + 1) * SECTOR));
}

function patched(content: Buffer, patches: readonly Patch[]): Buffer {
  const bytes = Buffer.from(content);
  for (const { start, bytes: patch } of patches) patch.copy(bytes, start);
  return bytes;
}

/**
 * Plans to overwrite secrets. A power cut in the midst of it could leave a password of half stars, which the next start would take for
 * a new one; from the plan it finishes first what was begun ({@link finishWipe}).
 */
export function planWipe(secrets: readonly Secret[], contents: ReadonlyMap<string, Buffer>, files: DataFiles): Map<string, Patch[]> {
  const byFile = new Map<string, Patch[]>();
  for (const { file, patch } of secrets) byFile.set(file, [...(byFile.get(file) ?? []), patch]);
  const plan: Plan = [...byFile].map(([file, patches]) => {
    const content = contents.get(file) ?? Buffer.alloc(0);
    return {
      file,
      before: sectors(content).map(sha256),
      after: sha256(patched(content, patches)),
      patches: patches.map(({ start, bytes }) => ({ start, text: bytes.toString() })),
    };
  });
  files.write(WIPE_FILE, `${JSON.stringify(plan)}\n`, 0o600);
  return byFile;
}

/**
 * Finishes what a power cut has left half done. A file that somebody changed since is left to be read anew.
 * @returns the files that still wait for it, as they are to be read: the card cannot be written
 */
export function finishWipe(card: Card, files: DataFiles): Map<string, Buffer> {
  const waiting = new Map<string, Buffer>();
  const text = files.read(WIPE_FILE);
  if (text === undefined) return waiting;
  for (const { file, before, after, patches } of readPlan(text)) {
    const content = card.read(file);
    const stars = patches.map(({ start, text }) => ({ start, bytes: Buffer.from(text) }));
    const finished = content && patched(content, stars);
    if (!finished || sha256(finished) !== after || !isTorn(content, before, finished)) continue;
    try {
      card.overwrite(file, content, stars);
    } catch {
      waiting.set(file, finished);
    }
  }
  if (waiting.size === 0) files.remove(WIPE_FILE);
  return waiting;
}

/** Is some of it as before, some as afterwards, and nothing else? */
function isTorn(content: Buffer, before: readonly string[], finished: Buffer): boolean {
  const goals = sectors(finished);
  const states = sectors(content).map((sector, i) => {
    if (sha256(sector) === before[i]) return goals[i]?.equals(sector) ? 'same' : 'old';
    return goals[i]?.equals(sector) ? 'new' : 'other';
  });
  return states.includes('new') && states.includes('old') && !states.includes('other');
}

function readPlan(text: string): Plan {
  try {
    return planSchema.parse(JSON.parse(text));
  } catch {
    return []; // cut off before anything was overwritten
  }
}
