import { closeSync, constants, fstatSync, open as openCallback } from 'node:fs';
import { ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { Problem } from '@ledge/contract';
import type { Processes } from '@ledge/sdk';
import { runToEnd } from '../processes.ts';

const open = promisify(openCallback);
/** Not blocking: without it, opening waits for the carrier of a modem. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;

export interface SerialPort {
  /** Resolves when the port is gone: unplugged, or closed. Never rejects. */
  readonly gone: Promise<void>;
  /** Resolves when the system has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens a serial port at a rate; bytes come to `onData`. */
export type OpenSerialPort = (path: string, baud: number, onData: (bytes: Uint8Array) => void) => Promise<SerialPort>;

const REASONS: Record<string, string> = {
  ENOENT: 'is not there; is it plugged in?',
  ENXIO: 'is not there; is it plugged in?',
  ENODEV: 'is not there; is it plugged in?',
  EACCES: 'may not be used by this user; it has to be in the group dialout',
  EPERM: 'may not be used by this user; it has to be in the group dialout',
  EBUSY: 'is used by another program',
  EIO: 'does not answer any more',
};

function portProblem(path: string, cause: unknown): Problem {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return new Problem('sensor-failed', `${path} ${REASONS[code] ?? `cannot be used (${code || (cause as Error).message})`}`, { cause });
}

/** Arguments of stty: raw bytes, no echo, no modem lines, no reset at the end. BSD's stty (macOS) names the device with -f. */
const settings = (path: string, baud: number, platform: NodeJS.Platform) => [
  platform === 'darwin' ? '-f' : '-F',
  path,
  String(baud),
  'raw',
  '-echo',
  'clocal',
  'cread',
  '-hupcl',
];

async function setSpeed(processes: Processes, path: string, baud: number, platform: NodeJS.Platform): Promise<void> {
  const { code, stderr, error } = await runToEnd(processes, 'stty', settings(path, baud, platform));
  if (error) throw new Problem('driver-unavailable', 'stty is not installed; it sets the speed of a serial port', { cause: error });
  if (code !== 0) throw new Problem('sensor-failed', `${path} cannot be set to ${baud} baud: ${stderr.trim()}`);
}

/**
 * libuv opens the terminal again for itself and leaves our descriptor to us; only if it could not, it closes ours.
 * The device number tells whether the descriptor is still the port.
 */
function closeOwn(fd: number, device: number): void {
  try {
    if (fstatSync(fd).rdev === device) closeSync(fd);
  } catch {
    // closed already
  }
}

/**
 * The machine's own serial ports, without a native addon: `stty` sets the line, Node's own TTY stream reads and writes it.
 * A plain file stream would hold a thread of libuv's small pool in a read that waits for the next byte.
 */
export function ttyPorts(processes: Processes, platform: NodeJS.Platform = process.platform): OpenSerialPort {
  return async (path, baud, onData) => {
    // opened before stty runs: a terminal may forget its settings when nobody has it open
    const fd = await open(path, OPEN_FLAGS).catch((cause: unknown) => {
      throw portProblem(path, cause);
    });
    const device = fstatSync(fd).rdev;
    let stream: ReadStream;
    try {
      await setSpeed(processes, path, baud, platform);
      stream = new ReadStream(fd);
    } catch (cause) {
      closeOwn(fd, device);
      throw cause instanceof Problem ? cause : new Problem('sensor-failed', `${path} is no serial port`, { cause });
    }
    const gone = new Promise<void>((resolve) => {
      stream.on('close', () => {
        closeOwn(fd, device);
        resolve();
      });
    });
    // a port that is pulled out reads EIO or ends; `close` follows both
    stream.on('error', () => {});
    stream.on('data', onData);
    return {
      gone,
      write: (bytes) =>
        new Promise((resolve, reject) => {
          stream.write(bytes, (cause) => (cause ? reject(portProblem(path, cause)) : resolve()));
        }),
      async close() {
        stream.destroy();
        await gone;
      },
    };
  };
}
