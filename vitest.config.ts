import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '**/dist/**'];

const APPLIANCE = { testTimeout: 180_000, hookTimeout: 60_000, fileParallelism: false };

/** Emulated boards are slow, and more so when the machine has other work. */
const VM = { testTimeout: 1_200_000, hookTimeout: 600_000 };
/** Tests that measure, and so want the machine for themselves. */
const VM_ALONE = ['smoke', 'start', 'memory'].map((name) => `image/tests/${name}.vm.test.ts`);
/** Tests of the image that take longest: one board works all the time, the other one stands idle to be watched. */
const VM_LONG = ['image/tests/power-cut.vm.test.ts', 'image/tests/quiet.vm.test.ts'];
/** Goes with the acceptance tests, in the board that they drive. */
const VM_GPIO = 'image/tests/gpio.vm.test.ts';

/** Tests of the whole appliance that measure, and so want the machine for themselves. */
const ALONE = ['start', 'load', 'hostile', 'pages/lighthouse'].map((name) => `acceptance/${name}.it.test.ts`);

const acceptance = (names: readonly string[]) => names.map((name) => `acceptance/${name}.it.test.ts`);
const ON_BOARDS = ['rights', 'things', 'recovery', 'outage', 'media'];
const IN_CONTAINERS = [...ON_BOARDS, 'openapi'];

/** Each file starts containers of its own, in one engine. */
const DOCKER = { testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false, globalSetup: 'image/docker/tests/engine-setup.ts' };

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
      { test: { name: 'acceptance', include: ['acceptance/**/*.it.test.ts'], exclude: [...exclude, ...ALONE], ...APPLIANCE } },
      { test: { name: 'alone', include: ALONE, exclude, ...APPLIANCE } },
      { test: { name: 'docker', include: ['**/*.docker.test.ts'], exclude, ...DOCKER } },
      { test: { name: 'docker-acceptance', include: acceptance(IN_CONTAINERS), exclude, ...DOCKER } },
      {
        test: {
          name: 'docker-mosquitto',
          include: acceptance(IN_CONTAINERS),
          exclude,
          ...DOCKER,
          provide: { brokerEngine: 'mosquitto' as const },
        },
      },
      // one board at a time: its start is work for both processors
      {
        test: {
          name: 'vm',
          include: ['**/*.vm.test.ts'],
          exclude: [...exclude, ...VM_ALONE, ...VM_LONG, VM_GPIO],
          ...VM,
          fileParallelism: false,
        },
      },
      { test: { name: 'vm-long', include: VM_LONG, exclude, ...VM, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { test: { name: 'vm-alone', include: VM_ALONE, exclude, ...VM, fileParallelism: false } },
      {
        test: {
          name: 'vm-acceptance',
          include: [...acceptance(ON_BOARDS), VM_GPIO],
          exclude,
          ...VM,
          fileParallelism: false,
          globalSetup: 'image/tests/acceptance-machine.ts',
        },
      },
      // a page mostly waits for its box: two at a time
      {
        test: {
          name: 'web',
          include: ['**/*.web.test.ts'],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
