import type { Clock, Logger } from '@ledge/kit';
import type { ChildProcessPort, Processes } from '@ledge/sdk';
import { runToEnd } from '../processes.ts';
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
  type Pull,
} from './gpio-lines.ts';
import { keepRunning } from './keep-running.ts';

const CONSUMER = 'ledge';
/** A pull resistor needs a moment until the level follows it. */
const PULL_SETTLES = ['-p', '1ms'];
/** What gpiomon prints per event: 1 for rising or 2 for falling, and seconds since 1970. */
const EVENT_FORMAT = '%e %S';
const EVENT = /^([12]) (\d+\.\d+)$/;
const RISING = '1';
const BIAS: Record<Pull, string> = { up: 'pull-up', down: 'pull-down', none: 'disabled' };
/** strerror's words in the tools' messages, such as `gpiomon: unable to request lines on chip /dev/gpiochip0: Device or resource busy`. */
const ERRNO_OF_MESSAGE: [words: string, code: string][] = [
  ['Device or resource busy', 'EBUSY'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  ['Invalid argument', 'EINVAL'],
  ['No such device', 'ENODEV'],
  ['cannot find', 'ENOENT'],
  ['out of range', 'EINVAL'],
];

export interface LibgpiodOptions {
  processes: Processes;
  clock: Clock;
  log: Logger;
}

/** Undefined when the libgpiod tools of version 2 are there, else why not. Version 1 takes other options. */
export async function libgpiodUnavailable(processes: Processes): Promise<string | undefined> {
  const { error, lines } = await runToEnd(processes, 'gpiodetect', ['--version']);
  if (error) return 'the libgpiod tools (Debian package gpiod) are not installed';
  const version = /\(libgpiod\) v?(\d+)\.(\S+)/.exec(lines[0] ?? '');
  if (!version) return `gpiodetect --version says ${lines[0] ?? 'nothing'}; libgpiod 2 is wanted`;
  if (Number(version[1]) < 2) return `the libgpiod tools are version ${version[1]}.${version[2]}; version 2 or later is wanted`;
  const { chips, stderr } = await detect(processes);
  return chips.length > 0 ? undefined : `gpiodetect finds no chip that it may use${stderr === '' ? '' : ` (${stderr})`}`;
}

/** Reads gpiodetect's `gpiochip0 [pinctrl-bcm2711] (58 lines)`. */
function parseChip(line: string): GpioChip | undefined {
  const [, name, label, lines] = /^(\S+) \[(.*)\] \((\d+) lines\)$/.exec(line) ?? [];
  return name !== undefined && label !== undefined ? { name, label, lines: Number(lines) } : undefined;
}

async function detect(processes: Processes): Promise<{ chips: GpioChip[]; stderr: string }> {
  const { lines, stderr } = await runToEnd(processes, 'gpiodetect', []);
  return { chips: lines.flatMap((line) => parseChip(line) ?? []), stderr: stderr.trim() };
}

/** Options that `gpioget`, `gpiomon` and `gpioset` have in common. */
const common = ({ chip, activeLow }: InputRequest | OutputRequest) => [
  ...(chip ? ['-c', chip.name] : ['--by-name']),
  '-C',
  CONSUMER,
  ...(activeLow ? ['-l'] : []),
];
const bias = ({ pull }: InputRequest) => (pull === undefined ? [] : ['-b', BIAS[pull]]);

const toolProblem = (address: LineAddress, stderr: string) => {
  const code = ERRNO_OF_MESSAGE.find(([words]) => stderr.includes(words))?.[1] ?? '';
  return lineProblem(address, code, new Error(stderr.trim() || 'it ended without a word'));
};

/** Waits until the tool says that it holds the line; throws its own words when it ends before. */
async function holding(child: ChildProcessPort, address: LineAddress, banner: string): Promise<ChildProcessPort> {
  const ready = Promise.withResolvers<ChildProcessPort>();
  child.onLine((line) => {
    if (line.startsWith(banner)) ready.resolve(child);
  });
  const ended = child.ended.then(({ stderr, error }) => {
    throw toolProblem(address, error?.message ?? stderr);
  });
  return Promise.race([ready.promise, ended]);
}

/** GPIO lines by the tools of libgpiod 2: one long-lived child per line, since a line is held as long as its process lives. */
export function libgpiodLines({ processes, clock, log }: LibgpiodOptions): GpioLines {
  const runTool = (tool: string, request: InputRequest | OutputRequest, args: readonly string[], signal: AbortSignal) => {
    const child = processes.spawn(tool, ['--banner', ...common(request), ...args]);
    const kill = () => child.kill();
    signal.addEventListener('abort', kill);
    void child.ended.then(() => signal.removeEventListener('abort', kill));
    return child;
  };

  async function readLevel(request: InputRequest): Promise<Level> {
    const settle = request.pull === undefined ? [] : PULL_SETTLES;
    const args = [...common(request), ...bias(request), ...settle, '--numeric', String(request.line)];
    const { lines, stderr, error } = await runToEnd(processes, 'gpioget', args);
    if (lines[0] !== '0' && lines[0] !== '1') throw toolProblem(request, error?.message ?? stderr);
    return lines[0] === '1' ? 1 : 0;
  }

  function tell(address: LineAddress, listener: InputListener | OutputListener) {
    return (stderr: string, waitMs: number) => {
      log.warn({ line: address.line, chip: address.chip?.name, waitMs, stderr }, 'GPIO tool ended; it is started again');
      listener.fault(toolProblem(address, stderr));
    };
  }

  return {
    chips: async () => (await detect(processes)).chips,

    async watch(request, listener) {
      const start = async (signal: AbortSignal) => {
        // gpiomon of 2.2 does not tell the level it begins with
        listener.level(await readLevel(request));
        const debounce = request.debounceMs > 0 ? ['-p', `${request.debounceMs}ms`] : [];
        const args = [...bias(request), '-e', request.edge, ...debounce, '-E', 'realtime', '-F', EVENT_FORMAT, String(request.line)];
        const child = runTool('gpiomon', request, args, signal);
        child.onLine((line) => {
          const event = EVENT.exec(line);
          if (event) listener.level(event[1] === RISING ? 1 : 0, Math.round(Number(event[2]) * 1000));
        });
        return holding(child, request, 'Monitoring line');
      };
      const kept = await keepRunning(start, { clock, died: tell(request, listener) });
      return { close: kept.stop };
    },

    async drive(request, listener) {
      let level = request.initial;
      let faulty = true;
      const start = async (signal: AbortSignal) => {
        const child = runTool('gpioset', request, [`${request.line}=${level}`], signal);
        await holding(child, request, 'Setting line');
        if (faulty) listener.driven(level);
        faulty = false;
        return child;
      };
      const died = tell(request, listener);
      const kept = await keepRunning(start, {
        clock,
        died(stderr, waitMs) {
          faulty = true;
          died(stderr, waitMs);
        },
      });
      return {
        async write(next) {
          if (next === level && kept.running) return;
          level = next;
          await kept.restart();
        },
        close: kept.stop,
      };
    },
  };
}
