import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RestoreView, restoreViewSchema } from '@ledge/contract';
import { writeFileAtomic } from '@ledge/kit';
import { diskSwapFiles } from '@ledge/kit/backup/journal.ts';

/** The last restore, as it was decided and ended: from the moment this file says `restarting`, it goes forward, whatever happens. */
export class Marker {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get #file(): string {
    return join(this.#folder, 'restore.json');
  }

  read(): RestoreView | undefined {
    try {
      return restoreViewSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Returns when it would survive a power cut. */
  write(restore: RestoreView): void {
    writeFileAtomic(this.#file, JSON.stringify(restore), 0o600);
    diskSwapFiles.sync(this.#folder);
  }
}
