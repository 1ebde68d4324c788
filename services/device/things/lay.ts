import { createHash } from 'node:crypto';
import { existsSync, type FSWatcher, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Logger, writeFileAtomic } from '@ledge/kit';
import { z } from 'zod';

const SUFFIX = '.yaml';
const DEBOUNCE_MS = 100;

/** SHA-256 of each file as it was last laid, or offered. */
const recordSchema = z.record(z.string(), z.string());

export interface LayPorts {
  /** The project's thing files. */
  from: string;
  /** The box's. */
  to: string;
  /** Remembers what was laid. */
  recordFile: string;
  log: Logger;
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const read = (file: string) => (existsSync(file) ? readFileSync(file) : undefined);

/**
 * Lays a project's thing files beside the box's own, as a package manager does with files of configuration: what is new is laid, what nobody
 * changed since is replaced by a newer one or goes with the project's, what a person changed or deleted stays as they left it.
 */
export function layThings({ from, to, recordFile, log }: LayPorts): void {
  const known = readRecord(recordFile, log);
  const next: Record<string, string> = {};
  const names = existsSync(from) ? readdirSync(from).filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')) : [];
  for (const name of names.sort()) {
    const offered = readFileSync(join(from, name));
    const present = read(join(to, name));
    const laid = known[name];
    const isOurs = present === undefined ? laid === undefined : sha256(present) === laid;
    next[name] = sha256(offered);
    if (next[name] === laid && isOurs) continue;
    if (isOurs) {
      writeFileAtomic(join(to, name), offered);
      log.info({ file: name }, "the project's thing file was laid");
    } else if (next[name] !== laid && present && !present.equals(offered)) {
      log.warn({ file: name }, "the project's thing file was not laid: there is one of that name that a person wrote or changed");
    }
  }
  for (const [name, laid] of Object.entries(known)) {
    if (name in next) continue;
    const present = read(join(to, name));
    if (present === undefined || sha256(present) !== laid) continue;
    rmSync(join(to, name));
    log.info({ file: name }, 'the thing file went, as it did from the project');
  }
  if (JSON.stringify(next) !== JSON.stringify(known)) writeFileAtomic(recordFile, `${JSON.stringify(next, null, 2)}\n`);
}

function readRecord(file: string, log: Logger): Record<string, string> {
  const text = read(file)?.toString();
  if (text === undefined) return {};
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    log.error({ err: error, file }, 'what was laid of the project cannot be read; files that are there count as changed');
    return {};
  }
}

/** Lays a project's thing files now, and again whenever one of them changes. Never throws: things that cannot be laid keep no box from running. */
export function keepThingsLaid(ports: LayPorts, clock: Clock): { stop(): void } {
  const { from, log } = ports;
  const lay = () => {
    try {
      layThings(ports);
    } catch (error) {
      log.error({ err: error, from }, "the project's thing files could not be laid");
    }
  };
  let cancel: (() => void) | undefined;
  let watcher: FSWatcher | undefined;
  if (existsSync(from)) {
    watcher = watch(from, () => {
      cancel?.();
      cancel = clock.after(DEBOUNCE_MS, lay);
    });
    watcher.on('error', (error) => log.warn({ err: error, from }, "the project's thing files are not watched"));
  }
  lay();
  return {
    stop() {
      cancel?.();
      watcher?.close();
    },
  };
}
