import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '@ledge/testing';
import { run } from '../../run.ts';
import { newerQemu } from './newer-qemu.ts';

/** QEMU's programs of one version. */
export interface Qemu {
  system: string;
  img: string;
  io: string;
  version: string;
  environment: Record<string, string>;
}

/** The times in the READMEs are those of Debian 13's; an older one works, too. */
const NEW_ENOUGH = 9;
let found: Promise<Qemu> | undefined;

/**
 * The QEMU that the tests use: of the folder `EDGE_QEMU`, else this machine's when it is new enough, else one from Debian's backports
 * below the cache folder, else this machine's old one.
 * @throws Error when there is none
 */
export function findQemu(): Promise<Qemu> {
  found ??= choose();
  return found;
}

async function choose(): Promise<Qemu> {
  if (process.env.EDGE_QEMU) return await inFolder(process.env.EDGE_QEMU);
  const system = findProgram('qemu-system-aarch64');
  const host = system && (await inFolder(join(system, '..')));
  if (host && Number.parseInt(host.version, 10) >= NEW_ENOUGH) return host;
  try {
    return await inFolder(join(await newerQemu(), 'usr', 'bin'));
  } catch (error) {
    if (host) return host;
    throw new Error('no QEMU: install qemu-system-arm and qemu-utils', { cause: error });
  }
}

async function inFolder(folder: string): Promise<Qemu> {
  const system = join(folder, 'qemu-system-aarch64');
  // an unpacked QEMU would look for its modules where the installed one has its own
  const modules = join(folder, '..', 'lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`, 'qemu');
  const environment: Record<string, string> = existsSync(modules) ? { QEMU_MODULE_DIR: modules } : {};
  const version = /version (\S+)/.exec(await run(system, ['--version'], { environment }))?.[1] ?? 'unknown';
  const beside = (name: string) => (existsSync(join(folder, name)) ? join(folder, name) : name);
  return { system, img: beside('qemu-img'), io: beside('qemu-io'), version, environment };
}
