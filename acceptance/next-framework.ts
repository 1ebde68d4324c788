import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const COPIED = [
  'system',
  'services',
  'tools',
  'webui',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vitest.config.ts',
  'build.sh',
];
/** The built pages: they bear no version, and take long. */
const PAGES = ['webui', '.webui-made-of'];

/**
 * Makes Ledge's next minor version, as a release would: the same sources with other numbers, built.
 * @param folder where it shall be; it must not exist
 * @returns its version
 */
export function makeNextMinor(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const [major, minor] = version.split('.');
  const next = `${major}.${Number(minor) + 1}.0`;
  const own = (path: string) => !['node_modules', 'dist'].includes(basename(path));
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true, filter: own });
  for (const name of PAGES) cpSync(join(root, 'dist', name), join(folder, 'dist', name), { recursive: true });

  // packages of others are where they are; ours are links into the copy
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@ledge') symlinkSync(join(root, 'node_modules', name), join(packages, name));
  cpSync(join(root, 'node_modules', '@ledge'), join(packages, '@ledge'), { recursive: true, verbatimSymlinks: true });

  for (const file of [...globSync('{system,services}/**/*.ts', { cwd: folder }), ...globSync('{.,*/*}/package.json', { cwd: folder })]) {
    const text = readFileSync(join(folder, file), 'utf8');
    const raised = text.replaceAll(`'${version}'`, `'${next}'`).replaceAll(`"version": "${version}"`, `"version": "${next}"`);
    if (raised !== text) writeFileSync(join(folder, file), raised);
  }
  execFileSync(process.execPath, [join(folder, 'tools', 'build.ts'), '--quiet'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return next;
}
