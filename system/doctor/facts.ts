import { OUR_SERVICES } from '@ledge/contract/our-services.ts';
import { BOOT_FILE, type BootFacts, parseBootFacts, parseRelease, RELEASE_FILE, type Release } from '@ledge/host/linux/image-facts.ts';
import { type Mount, parseMounts } from './mounts.ts';
import { type DoctorPorts, type Output, Unseen } from './ports.ts';
import { type JournalEntry, parseJournal, parseProperties, parseUnits } from './systemd.ts';
import { firstLine } from './words.ts';

/** Where systemd is the first process it makes this folder (sd_booted(3)). */
const SYSTEMD_RUNS = '/run/systemd/system';
export const TARGET = 'ledge.target';
/** Runs at the end of each start in which all services became ready. */
export const BOOT_COMPLETE = 'ledge-boot-complete.service';
/** Does the same for a start that has lasted all the same. */
export const BOOT_LASTED = 'ledge-boot-lasted.service';
const KNOWN_UNITS = [TARGET, BOOT_COMPLETE, BOOT_LASTED, ...OUR_SERVICES.map((name) => `ledge-${name}.service`)];

const UNIT_PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'Type',
  'NRestarts',
  'WatchdogUSec',
  'MemoryCurrent',
  'MemoryMax',
  'ActiveEnterTimestampMonotonic',
  'ExecMainExitTimestampMonotonic',
  'MainPID',
  'Wants',
  'Requires',
];
const MANAGER_PROPERTIES = ['SystemState', 'RuntimeWatchdogUSec', 'RebootWatchdogUSec', 'WatchdogDevice', 'WatchdogLastPingTimestamp'];

/** What several checks want to know, each asked once. Throws `Unseen` for what cannot be known here. */
export class Facts {
  readonly ports: DoctorPorts;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(ports: DoctorPorts) {
    this.ports = ports;
  }

  #once<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const asked = (this.#known.get(name) as Promise<T> | undefined) ?? ask();
    this.#known.set(name, asked);
    return asked;
  }

  /** Undefined where no image of ours runs. */
  release(): Promise<Release | undefined> {
    return this.#once('release', async () => {
      const text = await this.ports.files.read(RELEASE_FILE);
      return text === undefined ? undefined : parseRelease(text);
    });
  }

  /** Names of the services that this image is made of: ours, and those of the project that was built into it. */
  async serviceNames(): Promise<string[]> {
    return [...OUR_SERVICES, ...((await this.release())?.project?.services ?? [])];
  }

  /** Is this the card image: our release, started by systemd? A container has the release too. */
  isImage(): Promise<boolean> {
    return this.#once('image', async () => {
      const { files } = this.ports;
      return (await files.has(RELEASE_FILE)) && (await files.has(SYSTEMD_RUNS));
    });
  }

  /** Undefined where our initramfs has left no word. */
  boot(): Promise<BootFacts | undefined> {
    return this.#once('boot', async () => {
      const text = await this.ports.files.read(BOOT_FILE);
      return text === undefined ? undefined : parseBootFacts(text);
    });
  }

  /** Seconds since the machine started. */
  uptimeS(): Promise<number> {
    return this.#once('uptime', async () => {
      const seconds = Number.parseFloat((await this.ports.files.read('/proc/uptime')) ?? '');
      if (Number.isNaN(seconds)) throw new Unseen('/proc/uptime is not to be seen here');
      return seconds;
    });
  }

  mounts(): Promise<Mount[]> {
    return this.#once('mounts', async () => {
      const text = await this.ports.files.read('/proc/self/mountinfo');
      if (text === undefined) throw new Unseen('/proc/self/mountinfo is not to be seen here');
      return parseMounts(text);
    });
  }

  /** Words of the kernel's command line; the last of several with one name wins. */
  commandLine(): Promise<ReadonlyMap<string, string>> {
    return this.#once('command line', async () => {
      const text = await this.ports.files.read('/proc/cmdline');
      if (text === undefined) throw new Unseen('/proc/cmdline is not to be seen here');
      return new Map(
        text
          .trim()
          .split(/\s+/)
          .map((word) => [word.split('=', 1)[0] ?? '', word.includes('=') ? word.slice(word.indexOf('=') + 1) : '']),
      );
    });
  }

  /** Units by name, with the properties that the checks read. A unit that does not exist has `LoadState=not-found`. */
  async #units(names: readonly string[]): Promise<Map<string, Record<string, string>>> {
    return parseUnits(await this.#systemctl(['show', `--property=${UNIT_PROPERTIES.join(',')}`, '--', ...names]));
  }

  /** systemd's own properties. */
  manager(): Promise<Record<string, string>> {
    return this.#once('manager', async () =>
      parseProperties(await this.#systemctl(['show', `--property=${MANAGER_PROPERTIES.join(',')}`])),
    );
  }

  /** The unit of the start, those that the image is known to have, and whatever else `ledge.target` wants. */
  ledgeUnits(): Promise<Map<string, Record<string, string>>> {
    return this.#once('ledge units', async () => {
      const units = await this.#units([...KNOWN_UNITS]);
      const wanted = `${units.get(TARGET)?.Wants ?? ''} ${units.get(TARGET)?.Requires ?? ''}`.split(/\s+/);
      const others = [...new Set(wanted)].filter((name) => /^ledge-.*\.service$/.test(name) && !units.has(name)).sort();
      return others.length === 0 ? units : new Map([...units, ...(await this.#units(others))]);
    });
  }

  /** Names of units that failed. */
  failedUnits(): Promise<string[]> {
    return this.#once('failed', async () => {
      const text = await this.#systemctl(['list-units', '--state=failed', '--plain', '--no-legend', '--full']);
      return text.split('\n').flatMap((line) => line.trim().split(/\s+/, 1).filter(Boolean));
    });
  }

  async #systemctl(args: readonly string[]): Promise<string> {
    const output = await this.ports.run('systemctl', ['--no-pager', '--no-ask-password', ...args]);
    if (output.code !== 0) throw new Unseen(`systemctl: ${said(output)}`);
    return output.stdout;
  }

  /** The newest entries of this boot, newest first, whose message matches `pattern` (PCRE2) and whose fields match `matches`. */
  async journal(pattern: string, matches: readonly string[], most = 50): Promise<JournalEntry[]> {
    const output = await this.ports.run('journalctl', [
      '--boot',
      '--no-pager',
      '--output=json',
      '--all', // fields over 4 KiB would come as null
      '--output-fields=MESSAGE,UNIT,_SYSTEMD_UNIT',
      `--lines=${most}`,
      `--grep=${pattern}`,
      ...matches,
    ]);
    if (/not seeing messages|insufficient permissions|No journal files were found/i.test(output.stderr))
      throw new Unseen(`the system's journal may not be read by ${this.ports.user}`);
    // no match is code 1 without a word
    if (output.code !== 0 && output.stderr.trim() !== '') throw new Unseen(`journalctl: ${said(output)}`);
    return parseJournal(output.stdout);
  }
}

const said = ({ stderr, stdout, code }: Output) => firstLine(stderr) || firstLine(stdout) || `it ended with ${code}`;
