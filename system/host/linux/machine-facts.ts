import type { MachineFacts } from '../machine.ts';
import { boardFacts } from './board-facts.ts';
import { type FactSource, realSource, word } from './fact-source.ts';
import { BOOT_FILE, parseBootFacts, parseRelease, RELEASE_FILE } from './image-facts.ts';

/** timesyncd makes the folder when it runs, and the file at its first success (systemd-timesyncd.service(8)). */
const TIMESYNC = '/run/systemd/timesync';
const ZONES = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/;

/**
 * What the image, its start and the kernel say.
 * @param device number of the device that holds the data directory, as stat(2) has it
 */
export async function linuxFacts(kind: string, device: number | undefined, source: FactSource = realSource): Promise<MachineFacts> {
  const [release, boot, uptime, bootId, osRelease, kernel, meminfo, localtime, timesync, board] = await Promise.all([
    source.read(RELEASE_FILE),
    source.read(BOOT_FILE),
    source.read('/proc/uptime'),
    word(source, '/proc/sys/kernel/random/boot_id'),
    source.read('/etc/os-release'),
    word(source, '/proc/sys/kernel/osrelease'),
    source.read('/proc/meminfo'),
    source.real('/etc/localtime'),
    source.list(TIMESYNC),
    boardFacts(device, source),
  ]);
  const { version, commit, built, machine } = parseRelease(release ?? '') ?? {};
  const { slot, reason, data } = parseBootFacts(boot ?? '');
  const uptimeS = Number.parseFloat(uptime ?? '');
  const system = [/^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease ?? '')?.[1], kernel && `Linux ${kernel}`].filter(Boolean).join(', ');
  const timeZone = ZONES.exec(localtime ?? '')?.[1];
  return {
    machine: machine ?? kind,
    ...(version ? { version } : {}),
    ...(commit ? { commit } : {}),
    ...(built ? { built } : {}),
    ...(slot ? { slot } : {}),
    ...(reason ? { reason } : {}),
    ...(data ? { data } : {}),
    ...(Number.isNaN(uptimeS) ? {} : { uptimeS }),
    ...(bootId ? { bootId } : {}),
    ...(system ? { system } : {}),
    ...memoryOf(meminfo ?? ''),
    ...(timeZone ? { timeZone } : {}),
    ...(timesync.length > 0 ? { clock: { synchronized: timesync.includes('synchronized') } } : {}),
    ...board,
  };
}

function memoryOf(meminfo: string): Pick<MachineFacts, 'memory'> {
  const bytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1]) * 1024;
  const memory = { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') };
  return Object.values(memory).some(Number.isNaN) ? {} : { memory };
}
