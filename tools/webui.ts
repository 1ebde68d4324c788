import { join } from 'node:path';
import { build } from 'vite';

/** Builds the pages into `dist/webui`; the configuration, with its size budget, lies with the pages. */
export async function buildWebui(root: string): Promise<void> {
  await build({ root: join(root, 'webui'), configFile: join(root, 'webui', 'vite.config.ts'), logLevel: 'warn' });
}
