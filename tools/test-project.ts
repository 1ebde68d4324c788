/** `./build.sh test --project DIR`: types and tests of a project. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Problem } from '@ledge/contract';
import { EXIT_CONFIG } from '@ledge/kit';
import { root } from './bundle.ts';
import { readProject } from './project.ts';

/** Looked for where Node is told to, and not in the project, which need not have them. */
function run(module: string, args: readonly string[], cwd: string): boolean {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', module), ...args], { cwd, stdio: 'inherit' });
  return status === 0;
}

const { values, positionals } = parseArgs({ options: { project: { type: 'string' } }, allowPositionals: true });
try {
  const { dir } = readProject(values.project ?? '.');
  const typed = !existsSync(join(dir, 'tsconfig.json')) || run('typescript/bin/tsc', ['-p', dir, '--noEmit'], dir);
  const config = join(import.meta.dirname, 'project-vitest.config.ts');
  const tested = run('vitest/vitest.mjs', ['run', '--root', dir, '--config', config, ...positionals], dir);
  console.log(`${typed ? 'ok  ' : 'FAIL'} types\n${tested ? 'ok  ' : 'FAIL'} tests`);
  process.exitCode = typed && tested ? 0 : 1;
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  console.error(`ledge: ${error.message}`);
  process.exitCode = EXIT_CONFIG;
}
