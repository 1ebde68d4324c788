import { access, constants, readdir, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { Problem } from '@ledge/contract';

export interface Program {
  mosquitto: string;
  /** The dynamic-security plugin that belongs to it. */
  plugin: string;
  /** Ends a child with its parent, however that ends; only Linux has it. */
  setpriv: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Debian keeps daemons where the PATH of a user does not lead. */
const DAEMONS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin'];
const PLUGIN = 'mosquitto_dynamic_security.so';
const INSTALL = 'install it (Debian: apt install mosquitto), or set engine to aedes';

/** @throws Problem `driver-unavailable` with what to install, or `not-supported` on Windows */
export async function findMosquitto(
  environment: Environment = process.env,
  platform = process.platform,
  daemons: readonly string[] = DAEMONS,
): Promise<Program> {
  if (platform === 'win32') {
    throw new Problem('not-supported', 'engine is mosquitto, which cannot be ended in order on Windows; aedes is wanted there');
  }
  const path = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const mosquitto = await firstOf([...path, ...daemons].map((folder) => join(folder, 'mosquitto')));
  if (!mosquitto) throw new Problem('driver-unavailable', `engine is mosquitto, and there is no such program here; ${INSTALL}`);
  const plugin = await findPlugin(mosquitto);
  if (!plugin) {
    throw new Problem('driver-unavailable', `${mosquitto} has no ${PLUGIN} beside it, a plugin for users and rules; ${INSTALL}`);
  }
  const setpriv = platform === 'linux' ? await firstOf(path.map((folder) => join(folder, 'setpriv'))) : undefined;
  return { mosquitto, plugin, setpriv };
}

/** In `lib` beside the program's `sbin`, or on Debian in the folder there for its processor. */
async function findPlugin(mosquitto: string): Promise<string | undefined> {
  const lib = join(dirname(await realpath(mosquitto)), '..', 'lib');
  const folders = await readdir(lib).catch(() => []);
  const ofProcessors = folders.filter((name) => name.includes('-linux-')).map((name) => join(lib, name));
  return firstOf(
    [...ofProcessors, lib, `${lib}64`].map((folder) => join(folder, PLUGIN)),
    constants.R_OK,
  );
}

async function firstOf(files: readonly string[], mode = constants.X_OK): Promise<string | undefined> {
  for (const file of files) {
    const found = await access(file, mode).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** Is this the number of a process that runs with this file of configuration? */
export async function isMosquittoOf(pid: number, configuration: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return command.split('\0').includes(configuration);
  }
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'command=', '-p', String(pid)], (error, out) => resolve(!error && out.includes(configuration)));
  });
}
