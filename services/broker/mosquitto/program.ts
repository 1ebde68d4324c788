import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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
const INSTALL = 'install it (Debian: apt install mosquitto), or choose aedes';

/** @throws Problem `driver-unavailable` with what to install, or `not-supported` on Windows */
export function findMosquitto(
  environment: Environment = process.env,
  platform = process.platform,
  daemons: readonly string[] = DAEMONS,
): Program {
  if (platform === 'win32') throw new Problem('not-supported', 'on Windows mosquitto cannot be ended in order; aedes is wanted there');
  const path = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const mosquitto = firstOf([...path, ...daemons].map((folder) => join(folder, 'mosquitto')));
  if (!mosquitto) throw new Problem('driver-unavailable', `no program mosquitto is here; ${INSTALL}`);
  const plugin = findPlugin(mosquitto);
  if (!plugin) throw new Problem('driver-unavailable', `${mosquitto} has no ${PLUGIN}, which holds users and rules; ${INSTALL}`);
  const setpriv = platform === 'linux' ? firstOf(path.map((folder) => join(folder, 'setpriv'))) : undefined;
  return { mosquitto, plugin, setpriv };
}

/** Why it cannot be the engine here; undefined when it can. */
export function whyNoMosquitto(): string | undefined {
  try {
    findMosquitto();
    return undefined;
  } catch (error) {
    return error instanceof Problem ? error.message : String(error);
  }
}

/** In `lib` beside the program's `sbin`, or on Debian in the folder there for its processor. */
function findPlugin(mosquitto: string): string | undefined {
  const lib = join(dirname(realpathSync(mosquitto)), '..', 'lib');
  const folders = existsSync(lib) ? readdirSync(lib) : [];
  const ofProcessors = folders.filter((name) => name.includes('-linux-')).map((name) => join(lib, name));
  return firstOf([...ofProcessors, lib, `${lib}64`].map((folder) => join(folder, PLUGIN)));
}

const firstOf = (files: readonly string[]) => files.find((file) => existsSync(file));

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
