import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The file system as the segment log needs it; tests count bytes, fill the disk or break it. */
export interface Files {
  makeDirectory(path: string): Promise<void>;
  /** Names and sizes of the files in a directory. */
  list(directory: string): Promise<{ name: string; bytes: number }[]>;
  /** The whole file, or from a byte on; empty where there is none. */
  read(path: string, from?: number): Promise<Buffer>;
  create(path: string): Promise<OpenFile>;
  truncate(path: string, bytes: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface OpenFile {
  write(data: Buffer, position: number): Promise<void>;
  /** Resolves when what was written survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

export const diskFiles: Files = {
  async makeDirectory(path) {
    await mkdir(path, { recursive: true });
  },
  async list(directory) {
    const names = await readdir(directory);
    return Promise.all(names.map(async (name) => ({ name, bytes: (await stat(`${directory}/${name}`)).size })));
  },
  async read(path, from = 0) {
    try {
      if (from === 0) return await readFile(path);
      await using file = await open(path, 'r');
      const bytes = Math.max(0, (await file.stat()).size - from);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(bytes), 0, bytes, from);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      if (isMissing(error)) return Buffer.alloc(0);
      throw error;
    }
  },
  async create(path) {
    const file = await open(path, 'w');
    await syncDirectory(dirname(path));
    return {
      async write(data, position) {
        for (let done = 0; done < data.length; ) {
          done += (await file.write(data, done, data.length - done, position + done)).bytesWritten;
        }
      },
      sync: () => file.datasync(),
      close: () => file.close(),
    };
  },
  truncate,
  rename,
  async remove(path) {
    await rm(path, { force: true });
  },
};

/** A new file's name is only sure to survive when its directory is synced too; Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using directory = await open(path, 'r');
  await directory.sync();
}
