import { stat, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, hostname, loadavg, platform, release, totalmem, uptime, version } from 'node:os';
import { linuxFacts } from './linux/machine-facts.ts';
import type { MachineFacts } from './machine.ts';

/**
 * What this machine tells of itself: what Node knows on every system, and over it what Linux says better.
 * @param kind `rpi`, `docker`, `pc`; a release of ours knows better
 * @param dataRoot whose disk is meant
 */
export async function machineFacts(kind: string, dataRoot: string): Promise<MachineFacts> {
  const [disk, device] = await Promise.all([spaceOf(dataRoot), stat(dataRoot).catch(() => undefined)]);
  const linux = platform() === 'linux' ? await linuxFacts(kind, device?.dev) : { machine: kind };
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return {
    host: hostname(),
    system: `${version()}, ${release()}`,
    memory: { totalBytes: totalmem(), availableBytes: freemem() },
    // Windows has no such number, and Node says 0 for it
    ...(platform() === 'win32' ? {} : { load: rounded((loadavg()[0] ?? 0) / availableParallelism()) }),
    timeZone,
    uptimeS: uptime(),
    ...(disk ? { disk } : {}),
    ...linux,
    // it goes before what the machine is set to, tzset(3)
    ...(process.env.TZ ? { timeZone } : {}),
  };
}

const rounded = (load: number) => Math.round(load * 100) / 100;

async function spaceOf(dataRoot: string): Promise<{ totalBytes: number; freeBytes: number } | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(dataRoot);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}
