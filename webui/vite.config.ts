import { join } from 'node:path';
import { defineConfig } from 'vite';
import { sizeBudget } from './size.ts';

/** Where `vite dev` finds a running box. */
const box = `http://127.0.0.1:${process.env.EDGE_HTTP_PORT ?? 8080}`;

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: '../dist/webui',
    emptyOutDir: true,
    target: 'es2022',
    // data: addresses in styles and scripts would need exceptions in the content security policy
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: ['index.html', 'kiosk.html'].map((page) => join(import.meta.dirname, page)),
      output: {
        // what several pages use comes as one file, not as twenty small ones, each with its own way to the box
        codeSplitting: {
          groups: [{ name: 'base', test: /node_modules|webui[\\/](client|components|words[\\/]words)/, minShareCount: 2 }],
        },
      },
    },
  },
  server: { proxy: { '/api': box } },
  plugins: [sizeBudget()],
});
