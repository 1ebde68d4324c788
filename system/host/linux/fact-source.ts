import { readdir, readFile, realpath } from 'node:fs/promises';

/** Where Linux says what it is: /proc, /sys, /etc. A test gives its own. */
export interface FactSource {
  /** Text of a file; undefined where there is none, or where it may not be read. */
  read(path: string): Promise<string | undefined>;
  /** Names in a folder; none where there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Where a path leads to when its links are followed; undefined for nowhere. */
  real(path: string): Promise<string | undefined>;
}

export const realSource: FactSource = {
  read: (path) => readFile(path, 'utf8').catch(() => undefined),
  list: (path) => readdir(path).catch(() => []),
  real: (path) => realpath(path).catch(() => undefined),
};

/** One line of a file, or undefined when it says nothing. Texts of a device tree end with a zero. */
export async function word(source: FactSource, path: string): Promise<string | undefined> {
  return (await source.read(path))?.replace(/\0.*$/s, '').trim() || undefined;
}

/** A whole number in a file. */
export async function number(source: FactSource, path: string): Promise<number | undefined> {
  const text = await word(source, path);
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}
