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
  },
  server: { proxy: { '/api': box } },
  plugins: [sizeBudget()],
});
