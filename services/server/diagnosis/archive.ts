import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack as createPack, type Pack } from 'tar-stream';

/** One file of an archive; its text is made when its turn comes. */
export interface ArchiveFile {
  path: string;
  text(): Promise<string> | string;
}

/**
 * Writes a .tar.gz, file by file as they are made. One that cannot be made leaves its reason in its place: an archive that somebody
 * asks for when things go wrong must not fail by them.
 * @param filtered what an error says goes through here
 */
export async function writeArchive(
  files: AsyncIterable<ArchiveFile>,
  to: Writable,
  { signal, filtered, now }: { signal: AbortSignal; filtered(text: string): string; now(): number },
): Promise<void> {
  const pack = createPack();
  const fill = async () => {
    for await (const { path, text } of files) {
      if (signal.aborted) return;
      try {
        await put(pack, path, await text(), now());
      } catch (error) {
        await put(pack, `${path}.missing.txt`, `${filtered(error instanceof Error ? error.message : String(error))}\n`, now());
      }
    }
    pack.finalize();
  };
  await Promise.all([pipeline(pack, createGzip(), to, { signal }), fill().catch((error: Error) => pack.destroy(error))]);
}

const put = (pack: Pack, name: string, text: string, nowMs: number) =>
  new Promise<void>((resolve, reject) => {
    pack.entry({ name, mode: 0o600, mtime: new Date(nowMs) }, text, (error) => (error ? reject(error) : resolve()));
  });
