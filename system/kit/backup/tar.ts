import { Readable } from 'node:stream';
import { Problem, parse } from '@ledge/contract';
import { extract, type Headers, type Pack } from 'tar-stream';
import type { z } from 'zod';

/** Headers, padding and long names between two files. More is a tar that wants memory, not a backup. */
const MAX_BETWEEN_BYTES = 256 * 1024;
/** 50,000 files with long names. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

export interface TarEntry {
  path: string;
  bytes: number;
  content: Readable;
}

/**
 * The plain files of a tar, in order; each must be read to its end, or `resume`d, before the next comes.
 * @throws Problem `backup-damaged` for links and all else that is no plain file, and for a tar that is cut or no tar
 */
export async function* readTar(source: Readable, signal?: AbortSignal): AsyncGenerator<TarEntry> {
  const unpack = extract();
  const emitter = unpack as unknown as NodeJS.EventEmitter;
  let allowedBytes = MAX_BETWEEN_BYTES;
  let failure: unknown;
  const feed = async () => {
    let seenBytes = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      // long names are gathered in memory by the parser, and a hostile one says itself how long
      if (seenBytes > allowedBytes) throw new Problem('backup-damaged', 'The backup has names that are longer than names are.');
      seenBytes += chunk.length;
      if (unpack.destroyed) return;
      if (!unpack.write(chunk)) await oneOf([emitter, 'drain'], [emitter, 'close']);
    }
    unpack.end();
  };
  // the source's own error says more than the parser's, which only sees that nothing follows
  const fed = feed().catch((error: unknown) => {
    failure = error;
    unpack.destroy(error as Error);
  });
  const contentOf = async function* (entry: AsyncIterable<Buffer>) {
    try {
      yield* entry;
    } catch (error) {
      throw asDamage(failure ?? error, signal);
    }
  };
  try {
    for await (const entry of unpack) {
      const header: Headers = entry.header;
      const bytes = header.size ?? 0;
      if (header.type !== 'file') throw new Problem('backup-damaged', `The backup holds a ${header.type}; only plain files are wanted.`);
      allowedBytes += bytes + MAX_BETWEEN_BYTES;
      yield { path: header.name, bytes, content: Readable.from(contentOf(entry), { objectMode: false }) };
    }
    await fed;
    if (failure) throw failure;
  } catch (error) {
    throw asDamage(failure ?? error, signal);
  } finally {
    source.destroy();
    unpack.destroy();
    await fed;
  }
}

function asDamage(error: unknown, signal: AbortSignal | undefined): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof Problem || signal?.aborted || (code && /^E[A-Z]+$/.test(code))) return error;
  return new Problem('backup-damaged', 'The backup is cut off, or has been changed.', { cause: error });
}

/** Reads a JSON document out of a tar. @throws Problem `backup-damaged` */
export async function readDocument<S extends z.ZodType>(
  { path, bytes, content }: TarEntry,
  wanted: string,
  schema: S,
): Promise<z.output<S>> {
  if (path !== wanted) throw new Problem('backup-damaged', `The backup has ${path} where ${wanted} is wanted.`);
  if (bytes > MAX_DOCUMENT_BYTES) throw new Problem('backup-damaged', `${wanted} has ${bytes} bytes; ${MAX_DOCUMENT_BYTES} are the limit.`);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  let document: unknown;
  try {
    document = JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new Problem('backup-damaged', `${wanted} in the backup is no JSON.`, { cause });
  }
  return parse(schema, document, 'backup-damaged', wanted);
}

/** Puts a file into a tar; resolves when the tar has taken all of it. */
export async function putFile(pack: Pack, path: string, bytes: number, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  const entry = pack.entry({ name: path, size: bytes, type: 'file', mode: 0o600, mtime: new Date(0) });
  const emitter = entry as unknown as NodeJS.EventEmitter;
  const closed = new Promise<void>((resolve, reject) => {
    emitter.once('close', resolve);
    emitter.once('error', reject);
  });
  closed.catch(() => {}); // it is awaited below, when it is due
  for await (const chunk of content) {
    if (pack.destroyed) throw new Problem('internal', 'The archive was closed before its end.');
    if (!entry.write(chunk)) await oneOf([emitter, 'drain'], [emitter, 'close']);
  }
  entry.end();
  await closed;
}

type Awaited = readonly [emitter: NodeJS.EventEmitter, event: string];
const oneOf = (...events: Awaited[]) =>
  new Promise<void>((resolve) => {
    const done = () => {
      for (const [emitter, event] of events) emitter.off(event, done);
      resolve();
    };
    for (const [emitter, event] of events) emitter.once(event, done);
  });

export const putDocument = (pack: Pack, path: string, document: unknown) => {
  const text = Buffer.from(JSON.stringify(document));
  return putFile(pack, path, text.length, [text]);
};
