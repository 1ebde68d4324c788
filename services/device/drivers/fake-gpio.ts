import type { FakeChild } from '@ledge/sdk/testing.ts';
import type { Level } from './gpio-lines.ts';
import type { OnoffGpio, OnoffGpioClass } from './gpio-sysfs.ts';

interface FakeChip {
  name: string;
  label: string;
  lines: number;
}

/** Options of the tools of libgpiod 2.2 (its tools/gpioget.c, gpiomon.c, gpioset.c), as far as they are understood here: true takes a value. */
const OPTIONS: Record<string, Record<string, boolean>> = {
  gpioget: { '-b': true, '--by-name': false, '-c': true, '-C': true, '-l': false, '-p': true, '--numeric': false },
  gpiomon: {
    '--banner': false,
    '-b': true,
    '--by-name': false,
    '-c': true,
    '-C': true,
    '-e': true,
    '-E': true,
    '-F': true,
    '-l': false,
    '-p': true,
  },
  gpioset: { '--banner': false, '-b': true, '--by-name': false, '-c': true, '-C': true, '-l': false, '-p': true },
};
const BIASES = ['pull-up', 'pull-down', 'disabled'];
const PERIOD = /^\d+(?:us|ms|s|m)?$/;

/** The tools of libgpiod 2.2, with their exact output, on lines that a test moves. */
export class FakeLibgpiod {
  readonly chips: FakeChip[];
  readonly version: string;
  /** Level at the wire, by `<chip> <line>`. */
  readonly wire = new Map<string, Level>();
  readonly #holders = new Map<string, FakeChild>();
  readonly #monitors = new Map<string, { child: FakeChild; options: Map<string, string> }>();

  constructor(chips: FakeChip[], version = 'v2.2.1') {
    this.chips = [...chips];
    this.version = version;
  }

  /** For `fakeProcesses`. */
  readonly programs: Record<string, (child: FakeChild) => void> = {
    gpiodetect: (child) => this.#detect(child),
    gpioget: (child) => this.#withLine(child, (key, _line, options) => child.say(String(this.#logical(key, options))), true),
    gpiomon: (child) =>
      this.#withLine(child, (key, line, options) => {
        this.#monitors.set(key, { child, options });
        void child.ended.then(() => this.#monitors.delete(key));
        child.say(`Monitoring line '${line}'...`);
      }),
    gpioset: (child) =>
      this.#withLine(child, (key, line, options, value) => {
        this.wire.set(key, this.#invert(value === '1' ? 1 : 0, options));
        child.say(`Setting line '${line}'...`);
      }),
  };

  /** Moves a wire; a monitor that waits for such an edge prints it. */
  edge(chip: string, line: number | string, level: Level, seconds = '1767225600.500000000'): void {
    const key = `${chip} ${line}`;
    this.wire.set(key, level);
    const monitor = this.#monitors.get(key);
    if (!monitor) return;
    const rising = this.#invert(level, monitor.options) === 1;
    const edges = monitor.options.get('-e') ?? 'both';
    if (edges !== 'both' && (edges === 'rising') !== rising) return;
    const format = monitor.options.get('-F') ?? '';
    monitor.child.say(format.replace('%e', rising ? '1' : '2').replace('%S', seconds));
  }

  #detect(child: FakeChild): void {
    if (child.args[0] === '--version') {
      child.say(`gpiodetect (libgpiod) ${this.version}`);
      child.say('License: GPL-2.0-or-later');
    } else {
      for (const { name, label, lines } of this.chips) child.say(`${name} [${label}] (${lines} lines)`);
    }
    child.exit(0);
  }

  #withLine(
    child: FakeChild,
    use: (key: string, line: string, options: Map<string, string>, value: string | undefined) => void,
    once = false,
  ): void {
    const parsed = this.#parse(child);
    if (typeof parsed === 'string') {
      child.exit(1, `${child.command}: ${parsed}\n`);
      return;
    }
    const { key, line, options, value } = parsed;
    this.#holders.set(key, child);
    void child.ended.then(() => this.#holders.delete(key));
    use(key, line, options, value);
    if (once) {
      this.#holders.delete(key);
      child.exit(0);
    }
  }

  /** What the arguments ask for, or the message that the tool dies with. */
  #parse({ command, args: given }: FakeChild) {
    const options = new Map<string, string>();
    const args = [...given];
    while (args[0]?.startsWith('-')) {
      const name = args.shift() ?? '';
      const takesValue = OPTIONS[command]?.[name];
      if (takesValue === undefined) return `try ${command} --help`;
      options.set(name, takesValue ? (args.shift() ?? '') : '');
    }
    if (options.has('-b') && !BIASES.includes(options.get('-b') ?? '')) return `invalid bias: ${options.get('-b')}`;
    if (options.has('-p') && !PERIOD.test(options.get('-p') ?? '')) return `invalid period: ${options.get('-p')}`;
    const [line = '', value] = (args[0] ?? '').split('=');
    const chipName = options.get('-c') ?? this.chips[0]?.name;
    const chip = this.chips.find(({ name }) => name === chipName);
    if (!chip) return `cannot find GPIO chip character device '${chipName}'`;
    if (/^\d+$/.test(line) && options.has('--by-name')) return `cannot find line '${line}'`;
    if (Number(line) >= chip.lines) return `offset ${line} is out of range on chip '${chip.name}'`;
    const key = `${chip.name} ${line}`;
    if (this.#holders.has(key)) return `unable to request lines on chip '/dev/${chip.name}': Device or resource busy`;
    return { key, line, options, value };
  }

  #invert = (level: Level, options: Map<string, string>): Level => (options.has('-l') ? (level === 1 ? 0 : 1) : level);
  #logical = (key: string, options: Map<string, string>): Level => this.#invert(this.wire.get(key) ?? 0, options);
}

/** The kernel's lines behind onoff: by their global numbers, with what was asked of them. */
export class FakeKernelLines {
  readonly wire = new Map<number, Level>();
  readonly exported = new Map<
    number,
    { direction: string; edge: string; activeLow: boolean; watchers: ((e: null, level: Level) => void)[] }
  >();
  /** Errno names by line: opening it fails so. */
  readonly broken = new Map<number, string>();
  /** Lines whose direction cannot be turned. */
  readonly stuck = new Map<number, 'in' | 'out'>();
  /** All levels that were written to a wire, in order. */
  readonly written: [gpio: number, level: Level][] = [];

  /** Moves a wire and wakes who watches it. */
  edge(gpio: number, level: Level): void {
    this.wire.set(gpio, level);
    const line = this.exported.get(gpio);
    for (const watcher of line?.watchers ?? []) watcher(null, this.logical(gpio));
  }
  logical(gpio: number): Level {
    const level = this.wire.get(gpio) ?? 0;
    return this.exported.get(gpio)?.activeLow ? (level === 1 ? 0 : 1) : level;
  }

  /** Onoff's class on these lines; numbers that no chip has give EINVAL as the kernel does. */
  gpioClass(firstNumber: number, lastNumber: number): OnoffGpioClass {
    const lines = this;
    return class implements OnoffGpio {
      readonly #gpio: number;
      constructor(gpio: number, direction: string, edge = 'none', options = { activeLow: false }) {
        const code = lines.broken.get(gpio) ?? (gpio < firstNumber || gpio > lastNumber ? 'EINVAL' : undefined);
        if (code) throw Object.assign(new Error(`${code}: write`), { code });
        this.#gpio = gpio;
        lines.exported.set(gpio, { direction, edge, activeLow: options.activeLow, watchers: [] });
        if (direction === 'high' || direction === 'low') lines.#drive(gpio, direction === 'high' ? 1 : 0);
      }
      readSync(): Level {
        return lines.logical(this.#gpio);
      }
      async write(level: Level): Promise<void> {
        const inverted = lines.exported.get(this.#gpio)?.activeLow === true;
        lines.#drive(this.#gpio, inverted ? (level === 1 ? 0 : 1) : level);
      }
      watch(callback: (error: null, value: Level) => void): void {
        lines.exported.get(this.#gpio)?.watchers.push(callback);
      }
      direction(): string {
        const asked = lines.exported.get(this.#gpio)?.direction === 'in' ? 'in' : 'out';
        return lines.stuck.get(this.#gpio) ?? asked;
      }
      unexport(): void {
        if (!lines.exported.delete(this.#gpio)) throw Object.assign(new Error('EBADF: bad file descriptor, close'), { code: 'EBADF' });
      }
    };
  }

  #drive(gpio: number, level: Level): void {
    this.wire.set(gpio, level);
    this.written.push([gpio, level]);
  }
}
