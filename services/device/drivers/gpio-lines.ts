import { Problem } from '@ledge/contract';

export type Level = 0 | 1;
export type Edge = 'both' | 'rising' | 'falling';
export type Pull = 'up' | 'down' | 'none';

export interface GpioChip {
  /** Such as `gpiochip512` (sysfs, the number is the base) or `gpiochip0` (character device). */
  name: string;
  /** What the kernel's driver calls it, such as `pinctrl-bcm2711`. */
  label: string;
  lines: number;
}

/** A line of a chip by its offset, or by its name wherever it is. */
export interface LineAddress {
  chip: GpioChip | undefined;
  line: number | string;
}

export interface InputRequest extends LineAddress {
  edge: Edge;
  debounceMs: number;
  activeLow: boolean;
  pull: Pull | undefined;
}
export interface OutputRequest extends LineAddress {
  initial: Level;
  activeLow: boolean;
}

/** What an input tells. Levels are logical: 1 is active, also on an active-low line. */
export interface InputListener {
  level(level: Level, time?: number): void;
  fault(problem: Error): void;
}
/** What an output tells: the level that it begins with, or has again after a fault. Writes answer for themselves. */
export interface OutputListener {
  driven(level: Level): void;
  fault(problem: Error): void;
}
export interface GpioOutput {
  write(level: Level): Promise<void>;
  close(): Promise<void>;
}
export interface GpioInput {
  close(): Promise<void>;
}

/** A way to the GPIO lines of this machine: onoff on sysfs, or the libgpiod tools. */
export interface GpioLines {
  chips(): Promise<GpioChip[]>;
  /** Tells the present level first, then each wanted edge. */
  watch(request: InputRequest, listener: InputListener): Promise<GpioInput>;
  drive(request: OutputRequest, listener: OutputListener): Promise<GpioOutput>;
}

/** Chips that carry the header of a Raspberry Pi, by label: BCM numbers are their offsets. */
const HEADER_LABELS = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'];
/** ARM's own GPIO block, in QEMU's `virt` machine; its label is its address and this. */
const PL061 = /(?:^|\.)pl061$/;

const listed = (chips: readonly GpioChip[]) =>
  chips.map(({ name, label, lines }) => `${name} (${label}, ${lines} lines)`).join(', ') || 'none';

function pick(chips: readonly GpioChip[], wanted: string | undefined): GpioChip | undefined {
  if (wanted !== undefined) return chips.find((chip) => chip.name === wanted) ?? chips.find((chip) => chip.label === wanted);
  const header = HEADER_LABELS.map((label) => chips.find((chip) => chip.label === label)).find((chip) => chip !== undefined);
  return header ?? (chips.length === 1 ? chips[0] : chips.find((chip) => PL061.test(chip.label)));
}

/** Chip of a line that names none, if that is clear: the one with the Pi's header, or the only one. */
export const defaultChip = (chips: readonly GpioChip[]): GpioChip | undefined => pick(chips, undefined);
export const hasHeader = ({ label }: GpioChip) => HEADER_LABELS.includes(label);

/**
 * The chip that a line number counts on: the named one (name or label), else the one with the Pi's header, else the only one.
 * @throws Problem `thing-invalid` that lists the chips there are
 */
export function chooseChip(chips: readonly GpioChip[], wanted: string | undefined, line: number): GpioChip {
  const chip = pick(chips, wanted);
  if (!chip && wanted !== undefined) {
    throw new Problem('thing-invalid', `source.chip is ${wanted}; one of these chips is wanted: ${listed(chips)}`);
  }
  if (!chip)
    throw new Problem('thing-invalid', `None of the chips is a Raspberry Pi's header; source.chip is wanted, one of: ${listed(chips)}`);
  if (line >= chip.lines) {
    throw new Problem(
      'thing-invalid',
      `GPIO line ${line} is wanted, but ${chip.name} (${chip.label}) has the lines 0 to ${chip.lines - 1}`,
    );
  }
  return chip;
}

export const shownLine = ({ chip, line }: LineAddress) => (chip ? `GPIO line ${line} of ${chip.label}` : `GPIO line ${line}`);

const REASONS: Record<string, [code: 'driver-unavailable' | 'thing-invalid', reason: string]> = {
  EBUSY: ['driver-unavailable', 'is used by the kernel or another program; an overlay in config.txt or another thing may hold it'],
  EACCES: ['driver-unavailable', 'may not be used by this user; it has to be in the group gpio'],
  EPERM: ['driver-unavailable', 'may not be used by this user; it has to be in the group gpio'],
  EINVAL: ['thing-invalid', 'is not known to the kernel, or cannot do what is asked (edge, pull or direction)'],
  ENOENT: ['driver-unavailable', 'is not there'],
  ENODEV: ['driver-unavailable', 'is not there any more'],
};

/** A failure at a line as a sentence. `code` is the errno's name. */
export function lineProblem(address: LineAddress, code: string, cause: unknown): Problem {
  const [problem, reason] = REASONS[code] ?? ['driver-unavailable', `cannot be used (${code || (cause as Error | undefined)?.message})`];
  return new Problem(problem, `${shownLine(address)} ${reason}`, { cause });
}
