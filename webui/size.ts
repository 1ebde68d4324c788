import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Everything that the first visit of a page loads, gzip. */
export const FIRST_LOAD_BUDGET_BYTES = 60 * 1024;
/** What opening a chart loads on top of the dashboard. */
export const CHART_BUDGET_BYTES = 30 * 1024;
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest']);

/** Sources that a page opens with, besides what its HTML names. English stands for all languages: they are about equally long. */
const FRAME = ['words/en/shell.ts'];
const ADMIN = [...FRAME, 'admin/page.ts', 'words/en/admin.ts'];
const admin = (name: string) => [...ADMIN, `admin/${name}/page.ts`, `words/en/${name}.ts`];
const PAGES: readonly { name: string; html: string; opens: readonly string[] }[] = [
  { name: 'dashboard', html: 'index.html', opens: [...FRAME, 'dashboard/page.ts', 'words/en/dashboard.ts'] },
  ...['services', 'things', 'mqtt', 'media', 'people', 'system', 'backup'].map((name) => ({
    name: `admin/${name}`,
    html: 'index.html',
    opens: admin(name),
  })),
  { name: 'first start', html: 'index.html', opens: [...FRAME, 'signin/first-start.ts'] },
  { name: 'kiosk', html: 'kiosk.html', opens: ['words/en/kiosk.ts'] },
];

interface Chunk {
  fileName: string;
  imports: readonly string[];
  sources: readonly string[];
  css: readonly string[];
}

/** Which files a page loads: those its HTML names, and those of its sources with all that they import. */
function filesOf(dir: string, chunks: readonly Chunk[], html: string, opens: readonly string[]): Set<string> {
  const files = new Set<string>([html]);
  const visit = (chunk: Chunk | undefined): void => {
    if (!chunk || files.has(chunk.fileName)) return;
    files.add(chunk.fileName);
    for (const file of chunk.css) files.add(file);
    for (const next of chunk.imports) visit(chunks.find(({ fileName }) => fileName === next));
  };
  for (const [, next = ''] of readFileSync(join(dir, html), 'utf8').matchAll(/(?:src|href)="\/([^"]+)"/g)) {
    const chunk = chunks.find(({ fileName }) => fileName === next);
    if (chunk) visit(chunk);
    else files.add(next);
  }
  for (const source of opens) visit(chunks.find(({ sources }) => sources.some((path) => path.endsWith(`/webui/${source}`))));
  if (html === 'index.html')
    for (const name of readdirSync(join(dir, 'assets'))) if (/^stream-worker-.*\.js$/.test(name)) files.add(`assets/${name}`);
  return files;
}

/** Writes `.gz` and `.br` beside each file, prints what each page's first load weighs, and fails the build when one is over the budget. */
export function sizeBudget(): Plugin {
  let dir = '';
  let chunks: Chunk[] = [];
  return {
    name: 'ledge-size-budget',
    apply: 'build',
    configResolved(config) {
      dir = resolve(config.root, config.build.outDir);
    },
    writeBundle(_, bundle) {
      chunks = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk'
          ? [
              {
                fileName: file.fileName,
                imports: file.imports,
                sources: Object.keys(file.modules).map((id) => id.replaceAll('\\', '/')),
                css: [...(file.viteMetadata?.importedCss ?? [])],
              },
            ]
          : [],
      );
    },
    closeBundle() {
      const weight = new Map<string, number>();
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => COMPRESSIBLE.has(extname(path)))) {
        const bytes = readFileSync(join(dir, name));
        const zipped = gzipSync(bytes, { level: 9 });
        weight.set(name.replaceAll('\\', '/'), zipped.length);
        writeFileSync(join(dir, `${name}.gz`), zipped);
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(bytes));
      }
      const sum = (files: Iterable<string>) => [...files].reduce((total, file) => total + (weight.get(file) ?? 0), 0);
      const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
      const over: string[] = [];
      const report = (name: string, bytes: number, budget: number) => {
        if (bytes > budget) over.push(`${name} loads ${kb(bytes)}, ${kb(budget)} is the budget`);
        return `${name} ${kb(bytes)}`;
      };
      const present = PAGES.filter(({ html }) => weight.has(html));
      const lines = present.map(({ name, html, opens }) => report(name, sum(filesOf(dir, chunks, html, opens)), FIRST_LOAD_BUDGET_BYTES));
      const dashboard = filesOf(dir, chunks, 'index.html', PAGES[0]?.opens ?? []);
      const chart = filesOf(dir, chunks, 'index.html', ['dashboard/chart.ts']);
      lines.push(report('a chart, on top of the dashboard', sum([...chart].filter((file) => !dashboard.has(file))), CHART_BUDGET_BYTES));
      process.stdout.write(`webui, first load in gzip: ${lines.join(', ')}\n`);
      if (over.length > 0) throw new Error(over.join('; '));
    },
  };
}
