import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BackupManifest, type BackupWarning, type CheckedBackup, Problem, type RestoreView, type ServiceView } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import { checkRoom, SPARE_BYTES } from '@ledge/kit/backup/prepare.ts';
import { OWN_NAME } from '../gateway/gateway.ts';
import { type Backup, headerOf, inspect, writeBackup } from './archive.ts';
import { unlock } from './format.ts';
import type { Parts } from './parts.ts';
import type { Restorer } from './restorer.ts';

const KEPT_MS = 60 * 60_000;
const SUFFIX = '.ledge';

export interface DeskPorts {
  /** Where a file that was handed in waits. */
  folder: string;
  edge: { readonly id: string; readonly name: string };
  version: string;
  parts: Parts;
  restorer: Restorer;
  clock: Clock;
  log: Logger;
  services(): ServiceView[];
  maxBytes(): number;
}

interface Held {
  id: string;
  bytes: number;
  expiresMs: number;
  backup: Backup;
  manifest: BackupManifest | undefined;
  forget(): void;
}

/** Makes backups, and keeps the one that was handed in to be restored. One thing at a time. */
export class BackupDesk {
  readonly #ports: DeskPorts;
  #held: Held | undefined;
  #work: string | undefined;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  /** Files that waited when the box went down are gone: nobody knows what they were. */
  async start(): Promise<void> {
    const { folder } = this.#ports;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) if (name.endsWith(SUFFIX)) await rm(join(folder, name), { force: true });
    this.#ports.restorer.start();
  }

  stop(): void {
    this.#ports.restorer.stop();
    this.#held?.forget();
  }

  /** What its file is called. */
  fileName(): string {
    const { edge, clock } = this.#ports;
    const name = edge.name
      .normalize('NFKD')
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .toLowerCase();
    return `ledge-${name || edge.id}-${new Date(clock.now()).toISOString().slice(0, 10)}${SUFFIX}`;
  }

  overview(): { checked: CheckedBackup | null; restore: RestoreView | null } {
    return { checked: this.#held ? this.#view(this.#held) : null, restore: this.#ports.restorer.view ?? null };
  }

  /**
   * Writes a backup of everything to `to`, which `begin` gives when nothing stands against it.
   * @throws Problem `service-away`, `backup-busy` before `begin` was called; later `to` is destroyed
   */
  async make(wish: { passphrase?: string | undefined; history: boolean }, begin: () => Writable, signal: AbortSignal): Promise<void> {
    await this.#alone('A backup is being made', async () => {
      const { parts, edge, version, clock, log } = this.#ports;
      const services = await this.#withParts(this.#present());
      const about = { version, edge: edge.id, name: edge.name, made: new Date(clock.now()).toISOString() };
      const streams = services.map((service) => ({ service, open: () => parts.take(service, wish.history, signal) }));
      try {
        await writeBackup(begin(), about, streams, wish.passphrase);
      } catch (error) {
        if (!signal.aborted) throw error;
        log.info('whoever asked for a backup went away before its end');
        return;
      }
      log.info({ services, history: wish.history, encrypted: wish.passphrase !== undefined }, 'a backup was made');
    });
  }

  /** Takes a file in, and tells what it holds. @throws Problem `backup-…`, `payload-too-large`, `storage-full` */
  async check(body: Readable, declaredBytes: number, signal: AbortSignal): Promise<CheckedBackup> {
    return await this.#alone('A file is being checked', async () => {
      const { folder, clock, maxBytes } = this.#ports;
      await this.#forget();
      const limitBytes = maxBytes();
      if (declaredBytes > limitBytes) throw tooLarge(limitBytes);
      await checkRoom(folder, declaredBytes);
      const id = randomUUID();
      const file = join(folder, `${id}${SUFFIX}`);
      try {
        await pipeline(body, limited(limitBytes), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
        const header = await headerOf(file);
        const backup: Backup = { file, header, key: { secret: undefined, sum: header.sum } };
        const manifest = header.encryption ? undefined : await this.#inspect(backup, signal);
        const cancel = clock.after(KEPT_MS, () => void this.#expire(id));
        const held: Held = { id, bytes: (await stat(file)).size, expiresMs: clock.now() + KEPT_MS, backup, manifest, forget: cancel };
        this.#held = held;
        return this.#view(held);
      } catch (error) {
        await rm(file, { force: true });
        throw signal.aborted ? new Problem('bad-request', 'The upload broke off.', { cause: error }) : asStorageProblem(error);
      }
    });
  }

  /** @throws Problem `backup-wrong-passphrase`, `backup-damaged` */
  async unlock(id: string, passphrase: string, signal: AbortSignal): Promise<CheckedBackup> {
    return await this.#alone('A file is being checked', async () => {
      const held = this.#find(id);
      const key = await unlock(held.backup.header, passphrase);
      held.manifest = await this.#inspect({ ...held.backup, key }, signal);
      held.backup.key = key;
      return this.#view(held);
    });
  }

  /**
   * Begins to put it back.
   * @param recorded when the audit log has the wish
   * @throws Problem `backup-locked`, `service-away`, `storage-full`; from then on the restorer tells
   */
  async restore(id: string, recorded: Promise<void>): Promise<RestoreView> {
    return await this.#alone('A restore is being begun', async () => {
      const { restorer, parts, folder } = this.#ports;
      const { backup, manifest } = this.#find(id);
      if (!manifest) throw new Problem('backup-locked', 'The backup has a passphrase; unlock it first.');
      const views = this.#present();
      const present = views.map(({ name }) => name);
      const services = manifest.parts.map(({ service }) => service).filter((service) => present.includes(service));
      const stuck = views.find(({ name, controllable }) => services.includes(name) && !controllable);
      if (stuck)
        throw new Problem(
          'service-away',
          `Nobody here can restart ${stuck.name}, and what is restored is taken over at a restart. Start Ledge as a whole.`,
        );
      for (const service of services)
        if (!(await parts.state(service))) throw new Problem('service-away', `${service} knows nothing of backups.`);
      await checkRoom(folder, bytesOf(manifest.parts.filter(({ service }) => services.includes(service))));
      return restorer.begin(id, backup, manifest, services, recorded);
    });
  }

  /** @throws Problem `not-found`, `backup-busy` */
  async drop(id: string): Promise<void> {
    await this.#alone('A file is being dropped', async () => {
      this.#find(id);
      await this.#forget();
    });
  }

  async #alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { restorer } = this.#ports;
    const going = this.#work ?? (restorer.isBusy ? 'A restore is under way' : undefined);
    if (going) throw new Problem('backup-busy', `${going}; wait until it is done.`);
    this.#work = what;
    try {
      return await work();
    } finally {
      this.#work = undefined;
    }
  }

  #present(): ServiceView[] {
    return this.#ports.services();
  }

  /** Services that have a part; the server's own last, as a restore needs it longest. @throws Problem `service-away` */
  async #withParts(views: readonly ServiceView[]): Promise<string[]> {
    const { parts } = this.#ports;
    const asked = views.map(async ({ name }) => {
      const state = await parts.state(name).catch((cause: unknown) => {
        throw new Problem('service-away', `${name} does not answer; a backup without it would not be whole. Start it first.`, { cause });
      });
      return state ? [name] : [];
    });
    return (await Promise.all(asked)).flat().sort((a, b) => Number(a === OWN_NAME) - Number(b === OWN_NAME) || a.localeCompare(b));
  }

  #find(id: string): Held {
    if (this.#held?.id !== id)
      throw new Problem('not-found', `There is no backup ${id} here; a file that was handed in is kept for an hour.`);
    return this.#held;
  }

  async #inspect(backup: Backup, signal: AbortSignal): Promise<BackupManifest> {
    const { bavail, bsize } = await statfs(this.#ports.folder);
    return await inspect(backup, Math.max(0, bavail * bsize - SPARE_BYTES), signal);
  }

  async #expire(id: string): Promise<void> {
    const isUsed = this.#ports.restorer.isBusy && this.#ports.restorer.view?.id === id;
    if (this.#held?.id === id && !isUsed) await this.#forget();
  }

  async #forget(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    held?.forget();
    if (held) await rm(held.backup.file, { force: true });
  }

  #view({ id, bytes, expiresMs, backup, manifest }: Held): CheckedBackup {
    const { edge } = this.#ports;
    const about = { id, bytes, encrypted: backup.header.encryption !== null, expires: new Date(expiresMs).toISOString() };
    if (!manifest) return { ...about, locked: true, warnings: [] };
    const { made, name, version, parts } = manifest;
    return {
      ...about,
      ...{ locked: false, made, edge: manifest.edge, name, version, sameBox: manifest.edge === edge.id },
      parts: parts.map((part) => ({
        service: part.service,
        files: part.files.length,
        bytes: bytesOf([part]),
        summary: Object.entries(part.counts)
          .map(([what, count]) => `${count} ${what}`)
          .join(', '),
        counts: part.counts,
      })),
      warnings: this.#warnings(manifest),
    };
  }

  #warnings({ edge: from, name, version, parts }: BackupManifest): BackupWarning[] {
    const { edge, version: own } = this.#ports;
    const warnings: BackupWarning[] = [];
    if (from !== edge.id) {
      const detail = `It is of another box, ${name} (${from}). This box keeps its own id and certificate; what names the old id, such as programs that read ${from}/#, must be told the new one, ${edge.id}.`;
      warnings.push({ code: 'other-box', detail });
    }
    if (version.localeCompare(own, undefined, { numeric: true }) > 0)
      warnings.push({
        code: 'newer-version',
        detail: `It was made by Ledge ${version}, and this is ${own}; a service that does not understand its part refuses all.`,
      });
    if (!parts.some(({ covers }) => covers.includes('server/history')))
      warnings.push({ code: 'no-history', detail: 'It has no history; what was recorded here stays.' });
    const present = new Set(this.#present().map((view) => view.name));
    for (const { service, files } of parts)
      if (!present.has(service))
        warnings.push({
          code: 'service-missing',
          service,
          detail: `${service} is not on this box; its ${files.length} files are left out.`,
        });
    return warnings;
  }
}

const bytesOf = (parts: BackupManifest['parts']) => parts.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0);

const tooLarge = (limitBytes: number) =>
  new Problem('payload-too-large', `The backup is larger than ${Math.round(limitBytes / 1e6)} MB, the limit in the settings of the server`);

function limited(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= limitBytes) done(null, chunk);
      else done(tooLarge(limitBytes));
    },
  });
}

function asStorageProblem(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new Problem('storage-full', 'The disk is full; the backup was not kept.', { cause: error })
    : error;
}
