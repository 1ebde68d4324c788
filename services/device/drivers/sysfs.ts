import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem, shown } from '@ledge/contract';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? '';

const REASONS: Record<string, string> = {
  ENOENT: 'is not there; the sensor may be unplugged, or its kernel driver not loaded',
  ENODEV: 'has no device behind it any more',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EIO: 'cannot be read: the sensor does not answer',
  ENXIO: 'cannot be read: the sensor does not answer',
  ETIMEDOUT: 'cannot be read: the sensor does not answer in time',
  EREMOTEIO: 'cannot be read: the sensor does not answer on its bus',
  ENODATA: 'is switched off or has no value yet',
  EAGAIN: 'has no value yet',
  EBUSY: 'is busy: the device is being read in another way',
};

/** A file of the kernel, without the line break at its end. Throws Problem `sensor-failed` with the reason in words. */
export async function readText(root: string, path: string, signal?: AbortSignal): Promise<string> {
  try {
    return (await readFile(join(root, path), { encoding: 'utf8', ...(signal ? { signal } : {}) })).trim();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Problem('sensor-failed', `${path} ${REASONS[codeOf(cause)] ?? `cannot be read (${codeOf(cause)})`}`, { cause });
  }
}

/** The same, or undefined where there is no such file. */
export async function readOptional(root: string, path: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    return await readText(root, path, signal);
  } catch (error) {
    if (error instanceof Problem && codeOf(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}

export function toNumber(text: string, path: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new Problem('sensor-failed', `${path} says ${shown(text)}; a number is wanted`);
  return value;
}

export const readNumber = async (root: string, path: string, signal?: AbortSignal): Promise<number> =>
  toNumber(await readText(root, path, signal), path);

/** Names in a directory in natural order (`hwmon2` before `hwmon10`), or undefined when there is no such directory. */
export async function list(root: string, path: string): Promise<string[] | undefined> {
  try {
    return (await readdir(join(root, path))).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(cause))) return undefined;
    throw new Problem('sensor-failed', `${path} cannot be listed (${codeOf(cause)})`, { cause });
  }
}

/** What the kernel calls a sensor, as the id of a property. */
export const asId = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
