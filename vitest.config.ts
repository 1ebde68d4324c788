import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '**/dist/**'];

/** Suffixes say what a test needs; see the table in acceptance/README.md. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...exclude, '**/*.{it,web,vm,docker}.test.ts'], testTimeout: 10_000 } },
      {
        test: {
          name: 'it',
          include: ['**/*.it.test.ts'],
          exclude: [...exclude, 'acceptance/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['acceptance/**/*.it.test.ts'],
          exclude,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'docker',
          include: ['**/*.docker.test.ts'],
          exclude,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'vm', include: ['**/*.vm.test.ts'], exclude, testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false } },
      { test: { name: 'web', include: ['**/*.web.test.ts'], exclude, testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false } },
    ],
  },
});
