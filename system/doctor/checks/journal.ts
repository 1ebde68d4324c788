import { type Check, fault, ok, warning } from '../check.ts';
import type { Facts } from '../facts.ts';
import { Unseen } from '../ports.ts';
import type { JournalEntry } from '../systemd.ts';
import { plural, some } from '../words.ts';

export const orderingCycles: Check = {
  name: 'ordering-cycles',
  title: 'Ordering of units',
  imageOnly: true,
  async look(facts) {
    // early messages of systemd come through the kernel's log, and have only this field in common with later ones
    const entries = await facts.journal('ordering cycle', ['SYSLOG_IDENTIFIER=systemd']);
    if (entries.length === 0) return ok('no unit waits for itself');
    const dropped = entries.flatMap(({ message }) => /Job (\S+?)\/\w+ deleted to break/.exec(message)?.[1] ?? []);
    const what = dropped.length > 0 ? `systemd left out ${some([...new Set(dropped)])}` : 'systemd found a cycle';
    return fault(
      `${what}, because units wait for each other in a circle`,
      'no cycle',
      "journalctl -b -g 'ordering cycle' shows the circle",
    );
  },
};

/** Where a refusal would be written: by the kernel, by systemd or the service itself, by the bus. */
const REFUSALS: readonly { pattern: string; matches: readonly string[] }[] = [
  {
    pattern: 'type=1326|^SECCOMP auid=|Rejected send message',
    matches: ['_TRANSPORT=kernel', '+', '_TRANSPORT=audit', '+', 'SYSLOG_IDENTIFIER=dbus-daemon'],
  },
  {
    pattern: 'Operation not permitted|Permission denied|EACCES|EPERM|AccessDenied|Interactive authentication required|status=31/SYS|SIGSYS',
    matches: ['--unit=ledge-*'],
  },
];
/** Asking as a person whom the bus does not let is no fault of the box: the doctor itself does. */
const OUR_OWN = /comm="(rauc|systemctl|timedatectl)/;

export const deniedActions: Check = {
  name: 'denied',
  title: 'Refused actions',
  imageOnly: true,
  async look(facts) {
    const found: JournalEntry[] = [];
    for (const { pattern, matches } of REFUSALS) found.push(...(await facts.journal(pattern, matches)));
    const entries = found.filter(({ message }) => !OUR_OWN.test(message)).sort((a, b) => b.timeMs - a.timeMs);
    const [newest] = entries;
    if (!newest) return ok('nothing that a service wanted was refused');
    const where = newest.unit ? `${newest.unit}: ` : '';
    return warning(
      `${plural(entries.length, 'line')} in the journal, the newest: ${where}${shortened(newest.message)}`,
      'no refusal of the system',
      'a service wants more than its unit allows; journalctl -b shows the lines around it',
    );
  },
};

/** A message of ours is JSON; people want its words. */
export function shortened(message: string): string {
  let text = message;
  try {
    const { msg, err } = JSON.parse(message) as { msg?: unknown; err?: { message?: unknown } };
    if (typeof msg === 'string') text = typeof err?.message === 'string' ? `${msg}: ${err.message}` : msg;
  } catch {
    // not one of ours
  }
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}

/** Entries, or undefined where the journal may not be read, for checks that have another source too. */
export async function journalIfSeen(facts: Facts, pattern: string, matches: readonly string[]): Promise<JournalEntry[] | undefined> {
  try {
    return await facts.journal(pattern, matches);
  } catch (error) {
    if (error instanceof Unseen) return undefined;
    throw error;
  }
}
