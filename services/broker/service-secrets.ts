import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ID_PATTERN } from '@ledge/contract';

/** Passwords of the box's services: one file for each, called after it. Read anew each time, so that a new service needs no restart. */
export class ServiceSecrets {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Names of the services that have one. */
  async names(): Promise<string[]> {
    return (await readdir(this.dir).catch(() => [])).filter((name) => ID_PATTERN.test(name));
  }

  /** Undefined where there is none. */
  async of(service: string): Promise<string | undefined> {
    if (!ID_PATTERN.test(service)) return undefined;
    const text = await readFile(join(this.dir, service), 'utf8').catch(() => '');
    return text.trim() || undefined;
  }
}
