import { createHash } from 'node:crypto';
import { createWriteStream, lstatSync } from 'node:fs';
import { chmod, mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BackupFile, type BackupPart, type BackupWarning, backupPartSchema, Problem } from '@ledge/contract';
import type { RestoreArea } from './journal.ts';
import { checkBackupPath } from './names.ts';
import { isBelow, type Precious, type PreciousItem } from './precious.ts';
import { isDatabase } from './take.ts';
import { readDocument, readTar, type TarEntry } from './tar.ts';

/** Others on this disk go on writing. */
export const SPARE_BYTES = 32 * 1024 * 1024;

export interface PrepareOptions {
  service: string;
  root: string;
  items: readonly PreciousItem[];
  precious: Precious | undefined;
  area: RestoreArea;
  id: string;
  /** The box that the backup is of, and this one. */
  fromEdge: string;
  toEdge: string;
  /** Throws Problem when the service would not start with this file of settings. */
  checkSettings(file: string): void;
  signal?: AbortSignal;
}

export interface Prepared {
  files: number;
  bytes: number;
  warnings: BackupWarning[];
}

/**
 * Takes a part in: lays its files beside those in use, checks them, and only then says in the journal that it is all there. After a failure
 * nothing of it is left.
 * @throws Problem `backup-busy`, `backup-damaged`, `backup-refused`, `storage-full`
 */
export async function preparePart(source: Readable, options: PrepareOptions): Promise<Prepared> {
  const { area, id, service } = options;
  if (!area.drop()) throw new Problem('backup-busy', `${service} has yet to take over an earlier restore; it does so at its next start.`);
  try {
    const entries = readTar(source, options.signal);
    const first = await entries.next();
    if (first.done) throw new Problem('backup-damaged', `The part of ${service} is empty.`);
    const part = await readDocument(first.value, 'part.json', backupPartSchema);
    const { covers, warnings } = await choose(part, options);
    const isKept = ({ path }: BackupFile) => covers.some((cover) => isBelow(path, cover));
    const kept = part.files.filter(isKept);
    const bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    await checkRoom(options.root, bytes);
    let next = 0;
    for await (const entry of entries) {
      const file = part.files[next++];
      if (!file || file.path !== entry.path || file.bytes !== entry.bytes)
        throw new Problem('backup-damaged', `The part of ${service} has ${entry.path} where ${file?.path ?? 'its end'} is wanted.`);
      if (isKept(file)) await lay(entry, file, area.next(file.path));
      else entry.content.resume();
    }
    if (next < part.files.length) throw new Problem('backup-damaged', `The part of ${service} ends before ${part.files[next]?.path}.`);
    await inspect(kept, options);
    area.prepared(id, covers);
    return { files: kept.length, bytes, warnings };
  } catch (error) {
    area.drop();
    throw asRefusal(error, service);
  }
}

/** What of the part this box takes: paths that the service names as its own, and of those what may come here. */
async function choose(part: BackupPart, { service, items, area, fromEdge, toEdge }: PrepareOptions) {
  if (part.service !== service) throw new Problem('backup-damaged', `The part of ${part.service} was sent to ${service}.`);
  const seen = new Set<string>();
  for (const { path } of part.files) {
    checkBackupPath(path);
    if (seen.has(path)) throw new Problem('backup-damaged', `The backup has ${path} twice.`);
    seen.add(path);
    if (!part.covers.some((cover) => isBelow(path, cover)))
      throw new Problem('backup-damaged', `The backup has ${path}, which its list of contents does not cover.`);
  }
  const covers: string[] = [];
  const warnings: BackupWarning[] = [];
  const leaveOut = (detail: string) => warnings.push({ code: 'left-out', detail, service });
  for (const cover of new Set(part.covers)) {
    const item = items.find(({ path }) => path === cover);
    const isUsed = part.files.some(({ path }) => isBelow(path, cover));
    if (!item) {
      if (isUsed) leaveOut(`${cover} is nothing that ${service} of this version keeps; it was left out.`);
    } else if (!item.sameBoxOnly || fromEdge === toEdge) {
      const hindrance = await hindranceOf(area, item);
      if (hindrance === undefined) covers.push(cover);
      else if (!item.ifWritable) throw new Problem('backup-refused', `${service} may not write ${cover} (${hindrance}).`);
      else if (isUsed) leaveOut(`${cover} was left out: ${service} may not write it here (${hindrance}).`);
    }
  }
  return { covers, warnings };
}

/** Why an item could not take its place: better to know before anything is decided. */
async function hindranceOf(area: RestoreArea, { path }: PreciousItem): Promise<string | undefined> {
  try {
    await mkdir(area.stagingFor(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
  const uid = process.getuid?.();
  const present = lstatSync(area.place(path), { throwIfNoEntry: false });
  const folder = lstatSync(dirname(area.place(path)), { throwIfNoEntry: false });
  // in a sticky folder only the owner moves a file away, see rename(2)
  const isStuck = present && folder && (folder.mode & 0o1000) !== 0 && ![present.uid, folder.uid, undefined].includes(uid) && uid !== 0;
  return isStuck && !present.isDirectory() ? 'it belongs to another user' : undefined;
}

export async function checkRoom(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (neededBytes + SPARE_BYTES <= freeBytes) return;
  const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new Problem('storage-full', `${mb(neededBytes + SPARE_BYTES)} are needed on the disk, and ${mb(freeBytes)} are free.`);
}

async function lay({ content }: TarEntry, { path, mode, sha256 }: BackupFile, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(content as AsyncIterable<Buffer>, hashing, createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true }));
  if (hash.digest('hex') !== sha256) throw new Problem('backup-damaged', `${path} in the backup is not what it was.`);
  if (process.platform !== 'win32') await chmod(to, (mode & 0o775) | 0o600);
}

/** Would the service start with this? Thing files are not looked at: one with a mistake is told by the device, and holds up no other. */
async function inspect(files: readonly BackupFile[], { service, items, precious, area, fromEdge, toEdge, checkSettings }: PrepareOptions) {
  const settings = items[0]?.path ?? '';
  const refuse = (path: string, cause: unknown) =>
    new Problem('backup-refused', `${path} of the backup cannot be used by ${service}: ${(cause as Error).message}`, { cause });
  for (const { path } of files) {
    const file = area.next(path);
    try {
      if (path === settings) checkSettings(file);
      if (await isDatabase(file)) checkDatabase(file);
    } catch (error) {
      throw refuse(path, error);
    }
  }
  const has = new Set(files.map(({ path }) => path));
  precious?.receive?.({
    file: (path) => (has.has(path) ? area.next(path) : undefined),
    present: (path) => area.place(path),
    fromEdge,
    toEdge,
  });
}

function checkDatabase(file: string): void {
  const db = new DatabaseSync(file);
  try {
    const found = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    if (found !== 'ok') throw new Error(`the database is damaged: ${found}`);
    db.exec('PRAGMA journal_mode = DELETE'); // nothing lies beside it when it is moved
  } finally {
    db.close();
  }
}

function asRefusal(error: unknown, service: string): unknown {
  if (error instanceof Problem) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Problem('storage-full', `The disk is full; ${service} could not take its part.`, { cause: error });
  if (code === 'EEXIST')
    return new Problem('backup-damaged', `Two files of the backup have the same name here: ${message}.`, { cause: error });
  return new Problem('backup-refused', `${service} could not take its part: ${message}.`, { cause: error });
}
