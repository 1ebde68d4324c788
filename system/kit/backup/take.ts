import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { type BackupFile, type BackupPart, MAX_BACKUP_FILES, Problem } from '@ledge/contract';
import { pack as createPack, type Pack } from 'tar-stream';
import { copiesName, isStaging, SQLITE_SIDES } from './names.ts';
import { itemsOf, type PartFacts, type Precious, type PreciousItem } from './precious.ts';
import { putDocument, putFile } from './tar.ts';

const SQLITE_MAGIC = Buffer.from('SQLite format 3\0');
const BUSY_WAIT_MS = 5000;

export interface PartSource {
  service: string;
  version: string;
  root: string;
  precious: Precious | undefined;
  facts: PartFacts | undefined;
  history: boolean;
}

/**
 * What is precious of a service, as a tar: databases first, because logs beside them only grow; at the end `part.json`.
 * The tar is destroyed with the reason when a file cannot be read: what breaks off is refused by whoever reads it.
 */
export function takePart(source: PartSource): Pack {
  const pack = createPack();
  write(pack, source).then(
    () => pack.finalize(),
    (error: unknown) => pack.destroy(error as Error),
  );
  return pack;
}

async function write(pack: Pack, { service, version, root, precious, facts, history }: PartSource): Promise<void> {
  await facts?.flush?.();
  const items = itemsOf(service, precious).filter((item) => history || !item.history);
  const found: { path: string; item: PreciousItem; isDatabase: boolean }[] = [];
  for (const item of items)
    for (const path of await filesOf(root, item)) found.push({ path, item, isDatabase: await isDatabase(join(root, path)) });
  if (found.length > MAX_BACKUP_FILES)
    throw new Problem('storage-failed', `${service} has ${found.length} files; a backup takes ${MAX_BACKUP_FILES}.`);
  const databases = new Set(found.filter(({ isDatabase }) => isDatabase).map(({ path }) => path));
  const isSide = (path: string) => SQLITE_SIDES.some((side) => path.endsWith(side) && databases.has(path.slice(0, -side.length)));
  const files: BackupFile[] = [];
  for (const { path, item } of found.filter(({ isDatabase }) => isDatabase)) {
    const copies = join(root, path.split('/')[0] ?? '', copiesName(service));
    await rm(copies, { recursive: true, force: true }); // left by a power cut
    await mkdir(copies, { mode: 0o700 });
    try {
      const copy = join(copies, randomUUID());
      await copyDatabase(join(root, path), copy, item.prune);
      files.push({ ...(await putFrom(pack, copy, path)), mode: (await stat(join(root, path))).mode & 0o777 });
    } finally {
      await rm(copies, { recursive: true, force: true });
    }
  }
  for (const { path } of found.filter((file) => !file.isDatabase && !isSide(file.path)))
    files.push(await putFrom(pack, join(root, path), path));
  const covers = items.map(({ path }) => path);
  const counts = facts?.count?.(files.map(({ path }) => path)) ?? {};
  await putDocument(pack, 'part.json', { service, version, covers, counts, files } satisfies BackupPart);
}

/** Plain files only: a link leads to what may be somebody else's. */
async function filesOf(root: string, { path, except }: PreciousItem): Promise<string[]> {
  const found = await lstat(join(root, path)).catch(() => undefined);
  if (found?.isFile()) return [path];
  // the folder itself may be a link: people keep their music on another disk
  if (!found || !(await stat(join(root, path)).catch(() => undefined))?.isDirectory()) return [];
  const files: string[] = [];
  const walk = async (folder: string) => {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (isStaging(entry.name) || (folder === path && except?.test(entry.name))) continue;
      if (entry.isDirectory()) await walk(`${folder}/${entry.name}`);
      else if (entry.isFile()) files.push(`${folder}/${entry.name}`);
    }
  };
  await walk(path);
  return files;
}

export async function isDatabase(file: string): Promise<boolean> {
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SQLITE_MAGIC.length), 0, SQLITE_MAGIC.length, 0);
  return bytesRead === SQLITE_MAGIC.length && buffer.equals(SQLITE_MAGIC);
}

/** A consistent copy of a database that is in use, page by page, so that nobody waits for it long; then without what was deleted in it. */
export async function copyDatabase(file: string, to: string, prune = ''): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true, timeout: BUSY_WAIT_MS });
  try {
    await backup(source, to, { rate: 500 });
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(to);
  try {
    copy.exec(`PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON; ${prune}; VACUUM;`);
  } finally {
    copy.close();
  }
}

/** A file that grows meanwhile is taken as it was at first. */
async function putFrom(pack: Pack, file: string, path: string): Promise<BackupFile> {
  await using handle = await open(file, 'r');
  const { size: bytes, mode } = await handle.stat();
  const hash = createHash('sha256');
  const content = bytes === 0 ? [] : createReadStream(file, { fd: handle.fd, autoClose: false, start: 0, end: bytes - 1 });
  const hashed = async function* () {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await putFile(pack, path, bytes, hashed());
  return { path, bytes, mode: mode & 0o777, sha256: hash.digest('hex') };
}
