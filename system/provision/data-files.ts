import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { DataFiles } from './ports.ts';

const REFUSED = ['EACCES', 'EPERM', 'EROFS'];
/** Others write into some of these folders, too: a link that they laid there leads nowhere (Windows has no such flag). */
const { O_RDONLY, O_RDWR, O_NOFOLLOW = 0 } = constants;

/**
 * Files below a directory. A file is replaced whole; where its folder lets us not do that, but the file itself is ours to write (as
 * `secrets/first-admin` is, which was laid there for us), it is written over.
 */
export class DiskFiles implements DataFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  read(path: string): string | undefined {
    const file = join(this.#root, path);
    if (!existsSync(file)) return undefined;
    const fd = openSync(file, O_RDONLY | O_NOFOLLOW);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  }

  write(path: string, content: string, mode: number): void {
    const file = join(this.#root, path);
    const draft = `${file}.${randomBytes(8).toString('hex')}.tmp`;
    try {
      mkdirSync(dirname(file), { recursive: true });
      const fd = openSync(draft, 'wx', mode);
      try {
        fchmodSync(fd, mode);
        writeSync(fd, content);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(draft, file);
    } catch (error) {
      if (existsSync(draft)) rmSync(draft, { force: true });
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!REFUSED.includes(code) || !existsSync(file)) throw error;
      overwrite(file, content);
    }
  }

  /** Writes it for everybody to read, or takes it away. */
  put(path: string, content: string | undefined): void {
    if (content === undefined) this.remove(path);
    else this.write(path, content, 0o644);
  }

  remove(path: string): void {
    rmSync(join(this.#root, path), { force: true });
  }
}

function overwrite(file: string, content: string): void {
  const fd = openSync(file, O_RDWR | O_NOFOLLOW);
  try {
    const bytes = Buffer.from(content);
    writeSync(fd, bytes, 0, bytes.length, 0);
    ftruncateSync(fd, bytes.length);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
