import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Everything that the first visit loads, gzip. */
export const FIRST_LOAD_BUDGET_BYTES = 60 * 1024;
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest']);

/** Gzip bytes of what a page loads before it shows: the page, its scripts and styles, and what they import at once. */
function firstLoad(dir: string): { file: string; bytes: number }[] {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(join(dir, path), 'utf8');
    if (path.endsWith('.html')) for (const [, next] of text.matchAll(/(?:src|href)="\/([^"]+)"/g)) visit(next ?? '');
    if (path.endsWith('.js')) for (const [, next] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) visit(`assets/${next}`);
  };
  visit('index.html');
  return [...seen].map((file) => ({ file, bytes: gzipSync(readFileSync(join(dir, file))).length }));
}

/** Writes `.gz` and `.br` beside each file, prints what the first load weighs, and fails the build when that is over the budget. */
export function sizeBudget(): Plugin {
  let dir = '';
  return {
    name: 'ledge-size-budget',
    apply: 'build',
    configResolved(config) {
      dir = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => COMPRESSIBLE.has(extname(name)));
      for (const name of names) {
        const bytes = readFileSync(join(dir, name));
        writeFileSync(join(dir, `${name}.gz`), gzipSync(bytes, { level: 9 }));
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(bytes));
      }
      const parts = firstLoad(dir);
      const total = parts.reduce((sum, part) => sum + part.bytes, 0);
      const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
      const sentence = `first load ${kb(total)} gzip of ${kb(FIRST_LOAD_BUDGET_BYTES)}`;
      process.stdout.write(`webui: ${sentence} (${parts.map((part) => `${part.file} ${kb(part.bytes)}`).join(', ')})\n`);
      if (total > FIRST_LOAD_BUDGET_BYTES) throw new Error(`the ${sentence} is over the budget`);
    },
  };
}
