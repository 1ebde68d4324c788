/** Makes `dist/`: a program per service, the supervisor as `ledge.mjs`, the command as `cli.mjs`, and the web pages when their sources changed. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { OUR_PLANS } from '@ledge/supervisor';
import { build } from 'esbuild';
import { bundleOptions, commonMediaTypes, root } from './bundle.ts';
import { buildWebui } from './webui.ts';

const USAGE = `Usage: ./build.sh build [--quiet]

Makes dist/: <service>.mjs for each service, ledge.mjs that runs them all, webui/ with the pages.`;

/**
 * A program is `<name>.mjs` and the chunks that it imports. What it wants only now and then (`await import()`) is in chunks of its own, so that
 * a start reads and evaluates nothing of it.
 */
export async function bundleServices(): Promise<{ file: string; bytes: number }[]> {
  const outdir = join(root, 'dist');
  const entries = Object.fromEntries(OUR_PLANS.map(({ name }) => [name, join(root, 'services', name, 'main.ts')]));
  const result = await build({
    ...bundleOptions,
    entryPoints: {
      ...entries,
      ledge: join(root, 'system', 'supervisor', 'main.ts'),
      cli: join(root, 'system', 'cli', 'main.ts'),
      health: join(root, 'system', 'supervisor', 'health-main.ts'),
      provision: join(root, 'system', 'provision', 'main.ts'),
    },
    splitting: true,
    chunkNames: 'chunk-[hash]',
    plugins: [...bundleOptions.plugins, commonMediaTypes],
    outdir,
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const made = Object.entries(result.metafile.outputs).map(([file, { bytes }]) => ({ file, bytes }));
  const names = new Set(made.map(({ file }) => basename(file)));
  for (const old of globSync('*.mjs', { cwd: outdir })) if (!names.has(old)) rmSync(join(outdir, old));
  return made;
}

/** The pages are built again only when something that they are made of changed. */
async function buildPages(): Promise<boolean> {
  const sources = ['webui/**/*', 'system/contract/**/*.ts', 'package-lock.json'].flatMap((pattern) =>
    globSync(pattern, { cwd: root, withFileTypes: true }),
  );
  const hash = createHash('sha256');
  for (const entry of sources
    .filter((e) => e.isFile())
    .sort((a, b) => join(a.parentPath, a.name).localeCompare(join(b.parentPath, b.name)))) {
    hash.update(readFileSync(join(entry.parentPath, entry.name)));
  }
  const stamp = join(root, 'dist', '.webui-made-of');
  const wanted = hash.digest('hex');
  if (existsSync(stamp) && existsSync(join(root, 'dist', 'webui', 'index.html')) && readFileSync(stamp, 'utf8') === wanted) return false;
  await buildWebui(root);
  writeFileSync(stamp, wanted);
  return true;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { quiet: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) console.log(USAGE);
  else {
    const bundles = await bundleServices();
    await buildPages();
    if (!values.quiet) for (const { file, bytes } of bundles) console.log(`${file.padEnd(24)} ${Math.round(bytes / 1024)} KiB`);
  }
}
