import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Real sound files for tests, made by sox and espeak-ng in a folder of their own. */
export interface Fixtures {
  folder: string;
  /** A tone of so many seconds; the name's ending says the format (wav, ogg, flac). */
  tone(name: string, seconds: number): Promise<string>;
  /** A spoken word, about a second. */
  spoken(name: string): Promise<string>;
  text(name: string): Promise<string>;
  remove(): Promise<void>;
}

export async function fixtures(): Promise<Fixtures> {
  const folder = await mkdtemp(join(tmpdir(), 'ledge-media-'));
  return {
    folder,
    async tone(name, seconds) {
      const file = join(folder, name);
      await run('sox', ['-n', '-r', '22050', '-b', '16', '-c', '1', file, 'synth', String(seconds), 'sine', '440', 'gain', '-20']);
      return file;
    },
    async spoken(name) {
      const file = join(folder, name);
      await run('espeak-ng', ['-w', file, 'one']);
      return file;
    },
    async text(name) {
      const file = join(folder, name);
      await writeFile(file, 'root:x:0:0:root:/root:/bin/sh\n'.repeat(50));
      return file;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
