import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import {
  type GpioChip,
  type GpioLines,
  type InputListener,
  type InputRequest,
  type Level,
  type LineAddress,
  lineProblem,
  type OutputListener,
  type OutputRequest,
  shownLine,
} from './gpio-lines.ts';
import { list, readNumber, readText } from './sysfs.ts';

const GPIO = 'sys/class/gpio';

/** The part of onoff's Gpio that is used. */
export interface OnoffGpio {
  readSync(): Level;
  write(value: Level): Promise<void>;
  watch(callback: (error: Error | null | undefined, value: Level) => void): void;
  direction(): string;
  unexport(): void;
}
export type OnoffGpioClass = new (
  gpio: number,
  direction: 'in' | 'out' | 'high' | 'low',
  edge: 'none' | 'rising' | 'falling' | 'both',
  options: { activeLow: boolean },
) => OnoffGpio;

/** onoff is optional and has a native part (epoll): it is loaded when the first line is opened. No other file knows it. */
export async function loadOnoff(): Promise<OnoffGpioClass> {
  const { Gpio } = await import('onoff');
  return Gpio;
}

export interface SysfsOptions {
  root: string;
  clock: Clock;
  log: Logger;
  Gpio: OnoffGpioClass;
}

/** Chips as sysfs shows them. The number of a line is its chip's base plus its offset; since Linux 6.6 bases begin at 512. */
export async function sysfsChips(root: string): Promise<(GpioChip & { base: number })[]> {
  const folders = ((await list(root, GPIO)) ?? []).filter((name) => /^gpiochip\d+$/.test(name));
  return Promise.all(
    folders.map(async (name) => ({
      name,
      label: await readText(root, `${GPIO}/${name}/label`),
      base: await readNumber(root, `${GPIO}/${name}/base`),
      lines: await readNumber(root, `${GPIO}/${name}/ngpio`),
    })),
  );
}

/** GPIO lines by onoff on the kernel's sysfs interface. */
export function sysfsLines({ root, clock, log, Gpio }: SysfsOptions): GpioLines {
  const numberOf = async ({ chip, line }: LineAddress) => {
    if (typeof line === 'string') throw new Problem('thing-invalid', `source.line is ${line}; sysfs knows no names, a number is wanted`);
    const found = (await sysfsChips(root)).find(({ name }) => name === chip?.name);
    if (!found) throw lineProblem({ chip, line }, 'ENOENT', undefined);
    return found.base + line;
  };

  /** onoff says nothing when it takes over a line that is exported already and cannot turn its direction: looked at here. */
  const openLine = async (address: LineAddress, direction: 'in' | 'high' | 'low', edge: 'none' | 'both', activeLow: boolean) => {
    const number = await numberOf(address);
    if (existsSync(join(root, GPIO, `gpio${number}`))) log.info({ gpio: number }, 'GPIO line was exported already; taken over');
    try {
      const gpio = new Gpio(number, direction, edge, { activeLow });
      if (gpio.direction() === (direction === 'in' ? 'in' : 'out')) return gpio;
      gpio.unexport();
    } catch (cause) {
      throw lineProblem(address, (cause as NodeJS.ErrnoException).code ?? '', cause);
    }
    throw lineProblem(address, 'EBUSY', undefined);
  };

  return {
    chips: () => sysfsChips(root),

    async watch(request: InputRequest, listener: InputListener) {
      if (request.pull !== undefined)
        log.warn({ line: shownLine(request) }, 'sysfs cannot set a pull resistor; libgpiod or config.txt can');
      const gpio = await openLine(request, 'in', 'both', request.activeLow);
      const edges = watchEdges(request, clock, () => gpio.readSync(), listener);
      gpio.watch((error, level) => {
        if (error) listener.fault(lineProblem(request, (error as NodeJS.ErrnoException).code ?? '', error));
        else edges.changed(level);
      });
      return {
        async close() {
          edges.stop();
          gpio.unexport();
        },
      };
    },

    async drive(request: OutputRequest, listener: OutputListener) {
      // `high` and `low` set direction and level in one step, and mean the wire, not the logic (gpiolib-sysfs: direction_output_raw)
      const physical = (request.initial === 1) !== request.activeLow ? 'high' : 'low';
      const gpio = await openLine(request, physical, 'none', request.activeLow);
      listener.driven(request.initial);
      return {
        async write(level) {
          try {
            await gpio.write(level);
          } catch (cause) {
            throw lineProblem(request, (cause as NodeJS.ErrnoException).code ?? '', cause);
          }
        },
        close: async () => gpio.unexport(),
      };
    },
  };
}

/** Tells the level now and the wanted edges from here on; a contact that bounces is told once, when it has come to rest. */
function watchEdges({ edge, debounceMs }: InputRequest, clock: Clock, read: () => Level, listener: InputListener) {
  let told = read();
  let cancel = () => {};
  listener.level(told);
  const tell = (level: Level) => {
    told = level;
    if (edge === 'both' || (edge === 'rising') === (level === 1)) listener.level(level);
  };
  return {
    changed(level: Level) {
      if (debounceMs === 0) return tell(level);
      cancel();
      cancel = clock.after(debounceMs, () => {
        const rested = read();
        if (rested !== told) tell(rested);
      });
    },
    stop: () => cancel(),
  };
}
