import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';

export const root = join(import.meta.dirname, '..');
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

/**
 * What mqtt brings for browsers and for machines behind a SOCKS proxy: its own copy of Node's streams, timers in workers, the proxy.
 * A seventh of what each service reads at its start.
 */
const mqttForNode: Plugin = {
  name: 'mqtt-for-node',
  setup({ onResolve, onLoad }) {
    const isOfMqtt = (importer: string) => /[\\/]node_modules[\\/](mqtt|bl)[\\/]/.test(importer);
    const useNode = (filter: RegExp, path: string) =>
      onResolve({ filter }, ({ importer }) => (isOfMqtt(importer) ? { path, external: true } : undefined));
    useNode(/^readable-stream$/, 'node:stream');
    useNode(/^worker-timers$/, 'node:timers');
    onResolve({ filter: /^socks$/ }, ({ importer }) => (isOfMqtt(importer) ? { path: 'socks', namespace: 'left-out' } : undefined));
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
      contents: "exports.SocksClient = class { constructor() { throw new Error('SOCKS proxies are left out of this program'); } };",
    }));
  },
};

/** Of 2,500 media types, those that files have and that are no vendor's: each service would hold tables of all. Ours serve pages and JSON; a project may serve anything. */
export const commonMediaTypes: Plugin = {
  name: 'common-media-types',
  setup({ onLoad }) {
    onLoad({ filter: /mime-db[\\/]db\.json$/ }, ({ path }) => {
      const types: Record<string, { extensions?: string[] }> = JSON.parse(readFileSync(path, 'utf8'));
      const isCommon = (type: string) => types[type]?.extensions !== undefined && !type.includes('/vnd.');
      return { contents: JSON.stringify(Object.fromEntries(Object.entries(types).filter(([type]) => isCommon(type)))), loader: 'json' };
    });
  },
};

/** How a program for Node is bundled: ours, and a project's. */
export const bundleOptions = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  external: EXTERNAL,
  plugins: [oneLanguage, httpWithoutFetch, unicodeOnly, mqttForNode],
  // packages in CommonJS call require(), which modules do not have
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
  metafile: true,
} satisfies BuildOptions;
