/** Makes `dist/`: one bundle per service, the supervisor as `ledge.mjs`, the command as `cli.mjs`, and the web pages when their sources changed. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OUR_SERVICES } from '@ledge/supervisor';
import { build, type Plugin } from 'esbuild';
import { buildWebui } from './webui.ts';

const USAGE = `Usage: ./build.sh build [--quiet]

Makes dist/: <service>.mjs for each service, ledge.mjs that runs them all, webui/ with the pages.`;

const root = join(import.meta.dirname, '..');
/** Packages with native parts, or that only some machines have: found in node_modules when the program runs. */
const EXTERNAL = ['onoff', 'epoll', 'sd-notify'];

/** zod brings its messages in fifty languages; ours are for logs and programs, and the pages translate by code. Saves memory in each service. */
const oneLanguage: Plugin = {
  name: 'one-language',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('zod') ? { path: 'en', namespace: 'zod-locales' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'zod-locales' }, () => ({
      contents: "export { default as en } from 'zod/v4/locales/en.js';",
      resolveDir: root,
    }));
  },
};

/**
 * Imported as a module, node:http has each of its exports read, WebSocket too, and that one loads all of fetch: 6 MiB in each service.
 * By require() nothing is read before somebody wants it.
 */
const httpWithoutFetch: Plugin = {
  name: 'http-without-fetch',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'node:http', namespace: 'required' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({ contents: `module.exports = require('${path}');` }));
  },
};

/** The body parser brings the tables of Chinese, Japanese and Korean encodings, half a MiB; JSON comes in Unicode, and it refuses anything else. */
const unicodeOnly: Plugin = {
  name: 'unicode-only',
  setup({ onLoad }) {
    onLoad({ filter: /iconv-lite[\\/]encodings[\\/]dbcs-data\.js$/ }, () => ({ contents: 'module.exports = {};' }));
  },
};

export async function bundleServices(): Promise<{ file: string; bytes: number }[]> {
  const entries = Object.fromEntries(OUR_SERVICES.map(({ name }) => [name, join(root, 'services', name, 'main.ts')]));
  const result = await build({
    entryPoints: {
      ...entries,
      ledge: join(root, 'system', 'supervisor', 'main.ts'),
      cli: join(root, 'system', 'cli', 'main.ts'),
      provision: join(root, 'system', 'provision', 'main.ts'),
    },
    outdir: join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    external: EXTERNAL,
    plugins: [oneLanguage, httpWithoutFetch, unicodeOnly],
    // packages in CommonJS call require(), which modules do not have
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    metafile: true,
    logLevel: 'warning',
  });
  return Object.entries(result.metafile.outputs).map(([file, { bytes }]) => ({ file, bytes }));
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
