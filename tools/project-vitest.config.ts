import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { root } from './bundle.ts';

/** For the tests of a project: it imports `@ledge/sdk` and vitest, and has neither. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@ledge\/sdk$/, replacement: join(root, 'system', 'sdk', 'index.ts') },
      { find: /^@ledge\/sdk\/testing\.ts$/, replacement: join(root, 'system', 'sdk', 'testing.ts') },
      { find: /^vitest$/, replacement: join(root, 'node_modules', 'vitest', 'dist', 'index.js') },
    ],
  },
  test: { include: ['**/*.test.ts'], exclude: ['**/node_modules/**', 'ledge/**', 'dist/**', 'data/**'], passWithNoTests: true },
});
