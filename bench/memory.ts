import { readFile } from 'node:fs/promises';

export interface Memory {
  /** Resident set; pages that several processes share are counted in each. */
  rssBytes: number;
  /** Proportional set; shared pages are divided, so that a sum over processes is what they take together. */
  pssBytes: number;
}

/** What a process takes now, or undefined where the system has no `/proc` (only Linux has). */
export async function memoryOf(pid: number): Promise<Memory | undefined> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(rollup)?.[1]) * 1024;
    return { rssBytes: bytes('Rss'), pssBytes: bytes('Pss') };
  } catch {
    return undefined;
  }
}
