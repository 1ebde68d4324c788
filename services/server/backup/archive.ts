import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BackupManifest, type BackupPart, backupManifestSchema, backupPartSchema, MAX_BACKUP_FILES, Problem } from '@ledge/contract';
import { checkBackupPath } from '@ledge/kit/backup/names.ts';
import { putDocument, putFile, readDocument, readTar, type TarEntry } from '@ledge/kit/backup/tar.ts';
import { pack as createPack, type Pack } from 'tar-stream';
import { closing, compressing, decompressing, type Header, type Key, MAX_HEADER_BYTES, newHeader, opening, readHeader } from './format.ts';

const MANIFEST = 'manifest.json';

/** A service's part as it comes: a tar, with `part.json` at its end. */
export interface PartStream {
  service: string;
  open(): Promise<Readable>;
}

/** What is known of the box before its parts are read. */
export type About = Omit<BackupManifest, 'parts'>;

/**
 * Writes a backup. The list of its content comes last, as only then every sum is known; a file without it is refused.
 * @throws what a part failed with; then `to` is destroyed
 */
export async function writeBackup(to: Writable, about: About, parts: readonly PartStream[], passphrase: string | undefined): Promise<void> {
  const { text, key } = await newHeader(passphrase);
  const tar = createPack();
  to.write(text);
  const stages = [Readable.from(tar, { objectMode: false }), compressing(), closing(key), to] as const;
  const [flown, filled] = await Promise.allSettled([pipeline([...stages]), fill(tar, about, parts)]);
  // when the reader is gone, the archive fails too, with less to say
  if (filled.status === 'rejected' && filled.reason instanceof Problem && filled.reason.code !== 'internal') throw filled.reason;
  for (const end of [flown, filled]) if (end.status === 'rejected') throw end.reason;
}

async function fill(tar: Pack, about: About, parts: readonly PartStream[]): Promise<void> {
  try {
    const manifest: BackupManifest = { ...about, parts: [] };
    for (const part of parts) manifest.parts.push(await copyPart(tar, part));
    await putDocument(tar, MANIFEST, manifest);
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

async function copyPart(tar: Pack, { service, open }: PartStream): Promise<BackupPart> {
  const passed: string[] = [];
  let part: BackupPart | undefined;
  for await (const entry of readTar(await open())) {
    if (part) throw broken(service);
    if (entry.path === 'part.json') part = await readDocument(entry, 'part.json', backupPartSchema);
    else {
      checkBackupPath(entry.path);
      await putFile(tar, `${service}/${entry.path}`, entry.bytes, entry.content as AsyncIterable<Buffer>);
      passed.push(entry.path);
    }
  }
  if (part?.service !== service || part.files.map(({ path }) => path).join('\n') !== passed.join('\n')) throw broken(service);
  return part;
}

const broken = (service: string) => new Problem('service-away', `The part of ${service} broke off; there is no backup without it.`);

/** @throws Problem `backup-unknown`, `backup-too-new`, `backup-damaged` */
export async function headerOf(file: string): Promise<Header> {
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_HEADER_BYTES), 0, MAX_HEADER_BYTES, 0);
  return readHeader(buffer.subarray(0, bytesRead));
}

/** A backup file that can be read. */
export interface Backup {
  file: string;
  header: Header;
  key: Key;
}

async function* entriesOf({ file, header, key }: Backup, signal: AbortSignal | undefined): AsyncGenerator<TarEntry> {
  const plain = new PassThrough();
  const flow = pipeline([createReadStream(file, { start: header.bytes }), opening(key), decompressing(), plain]);
  flow.catch((error: unknown) => plain.destroy(error as Error));
  yield* readTar(plain, signal);
  await flow; // the tar may be over before the sum of all is known to be right
}

/**
 * Reads a backup from end to end, and holds every file against the list of content.
 * @param limitBytes of what it holds: more than fits on this disk is not even counted
 * @throws Problem `backup-damaged`, `storage-full`
 */
export async function inspect(backup: Backup, limitBytes: number, signal?: AbortSignal): Promise<BackupManifest> {
  const seen: { name: string; bytes: number; sha256: string }[] = [];
  let manifest: BackupManifest | undefined;
  let allBytes = 0;
  for await (const entry of entriesOf(backup, signal)) {
    if (manifest) throw new Problem('backup-damaged', `The backup goes on with ${entry.path} after its end.`);
    if (entry.path === MANIFEST) {
      manifest = await readDocument(entry, MANIFEST, backupManifestSchema);
      continue;
    }
    allBytes += entry.bytes;
    if (allBytes > limitBytes)
      throw new Problem('storage-full', `The backup holds more than the ${Math.floor(limitBytes / 1e6)} MB that are free on the disk.`);
    if (seen.length >= MAX_BACKUP_FILES) throw new Problem('backup-damaged', `The backup has more than ${MAX_BACKUP_FILES} files.`);
    const hash = createHash('sha256');
    for await (const chunk of entry.content) hash.update(chunk as Buffer);
    seen.push({ name: entry.path, bytes: entry.bytes, sha256: hash.digest('hex') });
  }
  if (!manifest) throw new Problem('backup-damaged', 'The backup is cut off: its list of content is missing.');
  compare(manifest, seen);
  return manifest;
}

function compare({ parts }: BackupManifest, seen: readonly { name: string; bytes: number; sha256: string }[]): void {
  const services = parts.map(({ service }) => service);
  if (new Set(services).size < services.length) throw new Problem('backup-damaged', 'The backup has two parts of one service.');
  const listed = parts.flatMap(({ service, files }) => files.map((file) => ({ ...file, name: `${service}/${file.path}` })));
  for (const { path } of listed) checkBackupPath(path);
  for (let i = 0; i < Math.max(listed.length, seen.length); i++) {
    const [wanted, found] = [listed[i], seen[i]];
    if (wanted?.name !== found?.name)
      throw new Problem('backup-damaged', `The backup has ${found?.name ?? 'its end'} where ${wanted?.name ?? 'its end'} is wanted.`);
    if (wanted?.bytes !== found?.bytes || wanted?.sha256 !== found?.sha256)
      throw new Problem('backup-damaged', `${wanted?.name} in the backup is not what it was.`);
  }
}

export interface Sending {
  /** Takes one part as a tar that begins with `part.json`. */
  send(part: BackupPart, tar: Readable): Promise<void>;
  /** Is this part wanted? */
  wanted(service: string): boolean;
  progress(bytes: number): void;
  signal?: AbortSignal;
}

/** Hands out a backup part by part, as it was {@link inspect}ed. @throws what `send` threw, or Problem `backup-damaged` */
export async function sendParts(backup: Backup, manifest: BackupManifest, { send, wanted, progress, signal }: Sending): Promise<void> {
  const entries = entriesOf(backup, signal);
  try {
    for (const part of manifest.parts) {
      const isWanted = wanted(part.service);
      const tar = createPack();
      const pass = async () => {
        if (isWanted) await putDocument(tar, 'part.json', part);
        for (const file of part.files) {
          const { value: entry } = await entries.next();
          if (!entry || entry.path !== `${part.service}/${file.path}`)
            throw new Problem('backup-damaged', 'The backup was changed meanwhile.');
          if (isWanted) await putFile(tar, file.path, entry.bytes, entry.content as AsyncIterable<Buffer>);
          else entry.content.resume();
          progress(entry.bytes);
        }
        tar.finalize();
      };
      const passing = pass().catch((error: unknown) => {
        tar.destroy(error as Error);
        throw error;
      });
      if (!isWanted) {
        await passing;
        continue;
      }
      const [sent, passed] = await Promise.allSettled([send(part, Readable.from(tar, { objectMode: false })), passing]);
      const isDamage = passed.status === 'rejected' && passed.reason instanceof Problem && passed.reason.code !== 'internal';
      for (const end of isDamage ? [passed, sent] : [sent, passed]) if (end.status === 'rejected') throw end.reason;
    }
  } finally {
    await entries.return(undefined);
  }
}
