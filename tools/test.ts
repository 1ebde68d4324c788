/** `./build.sh test`: types, form, pages, then every suite that this machine can run; one closing line with the sum. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { openEngine, whyNoContainers } from '../image/docker/tests/engine.ts';
import { makeImages } from './vm-image.ts';

const USAGE = `Usage: ./build.sh test [--vm] [--docker] [--all] [PATTERN ...]

Checks types and form, builds, and runs the tests that need no virtual machine and no Docker engine.
  --docker   only the tests that need a Docker engine (*.docker.test.ts, and the acceptance tests in containers, with both brokers);
             "--docker smoke" is the shortest
  --vm       only the tests that need QEMU (*.vm.test.ts), with the image that they boot; "--vm smoke" is the shortest
  --all      all of them
  PATTERN    only test files whose path holds one of these; no checks before`;

const root = join(import.meta.dirname, '..');

interface Sum {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed and how, told again at the end: a log of ten thousand lines is read from there. */
  faults: string[];
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  const child = spawn(join(root, 'node_modules', '.bin', command), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

async function check(sum: Sum, name: string, command: string, args: readonly string[]): Promise<void> {
  const startMs = performance.now();
  const good = await run(command, args);
  console.log(`${good ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
  if (good) sum.passed++;
  else fail(sum, name);
}

function fail(sum: Sum, what: string): void {
  sum.failed++;
  sum.faults.push(what);
}

interface Assertion {
  status: string;
  fullName: string;
  failureMessages: string[];
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
  testResults: { name: string; status: string; message: string; assertionResults: Assertion[] }[];
}

/** One run of Vitest for each project, so that suites which load the machine do not share it; what its tests leave in the temporary folder goes with it. */
async function suite(sum: Sum, project: string, patterns: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-test-'));
  chmodSync(folder, 0o755); // tests that run a program as another user work in it
  const report = join(folder, 'report.json');
  const good = await run(
    'vitest',
    ['run', '--project', project, '--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...patterns],
    { TMPDIR: folder, TEMP: folder, TMP: folder },
  );
  if (existsSync(report)) count(sum, project, good, JSON.parse(readFileSync(report, 'utf8')) as VitestReport);
  else fail(sum, `${project}: Vitest left no report`);
  rmSync(folder, { recursive: true, force: true });
}

function count(sum: Sum, project: string, good: boolean, result: VitestReport): void {
  sum.passed += result.numPassedTests;
  sum.skipped += result.numPendingTests + result.numTodoTests;
  for (const file of result.testResults) {
    const path = relative(root, file.name);
    for (const test of file.assertionResults) {
      if (test.status === 'pending' || test.status === 'skipped') console.log(`skipped: ${test.fullName}`);
      if (test.status === 'failed') fail(sum, [`${project}: ${path}: ${test.fullName}`, ...test.failureMessages].join('\n  '));
    }
    if (file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'))
      fail(sum, `${project}: ${path}: ${file.message}`);
  }
  // an error outside any test and any file fails the run all the same
  if (!good && result.testResults.every(({ status }) => status !== 'failed'))
    fail(sum, `${project}: an error outside the tests, see above`);
}

/** Images are made when they are missing or older than their sources; where one cannot be made, each file of tests counts as skipped. */
async function vm(sum: Sum, patterns: readonly string[]): Promise<void> {
  const wanted = (file: string) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern));
  const acceptance = ['rights', 'things', 'recovery', 'outage', 'media'].map((name) => `acceptance/${name}.it.test.ts`);
  const files = [...globSync('image/tests/*.vm.test.ts', { cwd: root }), ...acceptance].filter(wanted);
  const why = await makeImages(root, {
    bare: wanted('image/tests/start.vm.test.ts'),
    project: wanted('image/tests/project.vm.test.ts'),
  });
  if (why !== undefined) {
    for (const file of files) console.log(`skipped: ${file} (${why})`);
    sum.skipped += files.length;
    return;
  }
  // the whole suite asks all that the smoke asks, and more
  const alone = patterns.length === 0 ? ['start', 'memory'].map((name) => `image/tests/${name}.vm.test.ts`) : patterns;
  const held = mkdtempSync(join(tmpdir(), 'ledge-held-'));
  try {
    // a start is a minute of both processors: what several files need is done once
    if (patterns.length === 0) await check(sum, 'a started box is held', 'node', ['image/tests/vm/hold-box.ts', held]);
    process.env.EDGE_HELD_BOX = held;
    await suite(sum, 'vm-alone', alone);
    await suite(sum, 'vm-acceptance', patterns);
    await Promise.all(['vm-long', 'vm'].map((project) => suite(sum, project, patterns)));
  } finally {
    rmSync(held, { recursive: true });
  }
}

/** One engine for all that need one; where there can be none, each file of tests counts as skipped. */
async function docker(sum: Sum, patterns: readonly string[]): Promise<void> {
  const wanted = (file: string) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern));
  const acceptance = ['rights', 'things', 'recovery', 'outage', 'media', 'openapi'].map((name) => `acceptance/${name}.it.test.ts`);
  const projects = [
    ['docker', globSync('image/docker/tests/*.docker.test.ts', { cwd: root })],
    ['docker-acceptance', acceptance],
    ['docker-mosquitto', acceptance],
  ] as const;
  const why = await whyNoContainers();
  const engine = why === undefined ? await openEngine() : undefined;
  if (engine) process.env.DOCKER_HOST = engine.host;
  try {
    for (const [project, all] of projects) {
      const files = all.filter(wanted);
      if (engine && files.length > 0) await suite(sum, project, patterns);
      if (engine) continue;
      for (const file of files) console.log(`skipped: ${project}, ${file} (${why})`);
      sum.skipped += files.length;
    }
  } finally {
    await engine?.stop();
  }
}

const { values, positionals } = parseArgs({
  options: { vm: { type: 'boolean' }, docker: { type: 'boolean' }, all: { type: 'boolean' }, help: { type: 'boolean' } },
  allowPositionals: true,
});
if (values.help) console.log(USAGE);
else {
  const sum: Sum = { passed: 0, failed: 0, skipped: 0, faults: [] };
  const only = values.vm || values.docker;
  if (!only || values.all) {
    if (positionals.length === 0) {
      await check(sum, 'types', 'tsc', ['-p', '.']);
      await check(sum, 'types of the pages', 'tsc', ['-p', 'webui']);
      await check(sum, 'form', 'biome', ['check', '--error-on-warnings', '.']);
    }
    await check(sum, 'build', 'node', ['tools/build.ts']);
    await suite(sum, 'unit', positionals);
    // both wait more than they work, each for one box at a time
    await Promise.all(['it', 'acceptance'].map((project) => suite(sum, project, positionals)));
    for (const project of ['web', 'alone']) await suite(sum, project, positionals);
  }
  if (values.docker || values.all) await docker(sum, positionals);
  if (values.vm || values.all) await vm(sum, positionals);
  for (const fault of sum.faults) console.log(`FAIL ${fault}`);
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}
