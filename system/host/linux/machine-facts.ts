import { readFile } from 'node:fs/promises';
import type { MachineFacts } from '../machine.ts';
import { BOOT_FILE, parseBootFacts, parseRelease, RELEASE_FILE } from './image-facts.ts';

/** Text of a file; undefined where there is none, or where it may not be read. */
export type FactFiles = (path: string) => Promise<string | undefined>;

const realFiles: FactFiles = (path) => readFile(path, 'utf8').catch(() => undefined);

/** What the image, its start and the kernel say; on other systems little or nothing. */
export async function machineFacts(kind: string, files: FactFiles = realFiles): Promise<MachineFacts> {
  const [release, boot, uptime, bootId] = await Promise.all(
    [RELEASE_FILE, BOOT_FILE, '/proc/uptime', '/proc/sys/kernel/random/boot_id'].map(files),
  );
  const { version, commit, built, machine } = parseRelease(release ?? '') ?? {};
  const { slot, reason, data } = parseBootFacts(boot ?? '');
  const uptimeS = Number.parseFloat(uptime ?? '');
  return {
    machine: machine ?? kind,
    ...(version ? { version } : {}),
    ...(commit ? { commit } : {}),
    ...(built ? { built } : {}),
    ...(slot ? { slot } : {}),
    ...(reason ? { reason } : {}),
    ...(data ? { data } : {}),
    ...(Number.isNaN(uptimeS) ? {} : { uptimeS }),
    ...(bootId ? { bootId: bootId.trim() } : {}),
  };
}
