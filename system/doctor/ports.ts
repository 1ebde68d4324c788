import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, lstat, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { networkInterfaces, userInfo } from 'node:os';
import { join } from 'node:path';

/** Something that whoever runs may not see, or that is not there to be asked. A check that meets it is `skipped` with this reason. */
export class Unseen extends Error {}

/** Files of the machine by their absolute paths. Each throws {@link Unseen} for what may not be read. */
export interface Files {
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** Names in a folder; none where there is no such folder. */
  list(path: string): Promise<string[]>;
  has(path: string): Promise<boolean>;
  /** Is it a folder itself, and no link to one? */
  isFolder(path: string): Promise<boolean>;
  /** Milliseconds since 1970 of the last change; undefined where there is no such file. */
  changed(path: string): Promise<number | undefined>;
  /** Of the file system that holds `path`; undefined where there is no such path. */
  space(path: string): Promise<Space | undefined>;
}
export interface Space {
  bytes: number;
  freeBytes: number;
  /** Zero for file systems that have no such limit. */
  inodes: number;
  freeInodes: number;
}

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}
/** Runs a program with a list of arguments, never a shell. Throws {@link Unseen} when it is not installed or does not end in time. */
export type Run = (program: string, args: readonly string[], withinMs?: number) => Promise<Output>;

export interface NetworkAddress {
  interface: string;
  address: string;
  internal: boolean;
}

/** Everything that the doctor touches of a machine. */
export interface DoctorPorts {
  files: Files;
  run: Run;
  /** Milliseconds since 1970. */
  now(): number;
  /** Throws where the system does not tell. */
  addresses(): NetworkAddress[];
  /** Who looks, for sentences. */
  user: string;
  /** The data directory. */
  dataRoot: string;
  /** Of this program, where the image does not say it. */
  version: string;
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO', 'ENODATA', 'EINVAL']);

/** The files below `root`, which is `/` except in tests. */
export function filesBelow(root: string): Files {
  const at = (path: string) => join(root, path);
  async function seen<T>(path: string, look: () => Promise<T>, absent: T): Promise<T> {
    try {
      return await look();
    } catch (error) {
      const { code = 'an unknown error' } = error as NodeJS.ErrnoException;
      if (ABSENT.has(code)) return absent;
      throw new Unseen(code === 'EACCES' || code === 'EPERM' ? `${path} may not be read` : `${path} cannot be read: ${code}`);
    }
  }
  return {
    read: (path) => seen<string | undefined>(path, () => readFile(at(path), 'utf8'), undefined),
    list: (path) => seen<string[]>(path, async () => (await readdir(at(path))).sort(), []),
    has: (path) => seen(path, () => access(at(path), constants.F_OK).then(() => true), false),
    isFolder: (path) => seen(path, async () => (await lstat(at(path))).isDirectory(), false),
    changed: (path) => seen<number | undefined>(path, async () => (await stat(at(path))).mtimeMs, undefined),
    space: (path) =>
      seen<Space | undefined>(
        path,
        async () => {
          const { bsize, blocks, bavail, files, ffree } = await statfs(at(path));
          return { bytes: bsize * blocks, freeBytes: bsize * bavail, inodes: files, freeInodes: ffree };
        },
        undefined,
      ),
  };
}

const RUN_WITHIN_MS = 15_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** A small board has other things to do. */
const AT_ONCE = 2;

/** Runs programs, two at a time, until `signal` ends, which ends them too. */
export function runPrograms(signal: AbortSignal): Run {
  let running = 0;
  const waiting: (() => void)[] = [];
  // plain words, no colours, no pager; nothing of ours, secrets above all
  const env = {
    LC_ALL: 'C',
    SYSTEMD_COLORS: '0',
    SYSTEMD_PAGER: '',
    PATH: `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`,
    ...(process.env.DBUS_SYSTEM_BUS_ADDRESS ? { DBUS_SYSTEM_BUS_ADDRESS: process.env.DBUS_SYSTEM_BUS_ADDRESS } : {}),
  };
  return async (program, args, withinMs = RUN_WITHIN_MS) => {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await new Promise<Output>((resolve, reject) => {
        const options = { env, timeout: withinMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES, signal, encoding: 'utf8' } as const;
        const child = execFile(program, [...args], options, (error, stdout, stderr) => {
          if (!error) return resolve({ code: 0, stdout, stderr });
          if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr });
          reject(new Unseen(whyNot(program, withinMs, error)));
        });
        child.stdin?.end();
      });
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

function whyNot(program: string, withinMs: number, error: { code?: unknown; killed?: boolean; name: string; message: string }): string {
  if (error.code === 'ENOENT') return `${program} is not installed here`;
  if (error.code === 'EACCES' || error.code === 'EPERM') return `${program} may not be run`;
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `${program} says more than can be read`;
  if (error.name === 'AbortError') return `there was no time left to ask ${program}`;
  return error.killed ? `${program} did not answer within ${withinMs / 1000} s` : `${program} cannot be run: ${error.message}`;
}

/** The machine that this process runs on. */
export function realPorts({ dataRoot, version, signal }: { dataRoot: string; version: string; signal: AbortSignal }): DoctorPorts {
  return {
    files: filesBelow('/'),
    run: runPrograms(signal),
    now: () => Date.now(),
    addresses: () =>
      Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
        list.map(({ address, internal }) => ({ interface: name, address, internal })),
      ),
    user: whoRuns(),
    dataRoot,
    version,
  };
}

function whoRuns(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? '?'}`; // a user id without an entry in passwd
  }
}
