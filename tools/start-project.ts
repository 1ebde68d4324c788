/** `./build.sh start --project DIR`: builds the project, again at each change of its sources, and runs it with everything else. */
import { existsSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Problem } from '@ledge/contract';
import { EXIT_CONFIG } from '@ledge/kit';
import { root } from './bundle.ts';
import { buildProject, sourceDirs } from './project.ts';
import { FolderWatch } from './project-watch.ts';

/** Takes `--project DIR` out of the command line. */
function split(args: readonly string[]): { project: string; rest: string[] } {
  const { tokens } = parseArgs({ args: [...args], options: { project: { type: 'string' } }, strict: false, tokens: true });
  const given = tokens.findLast((token) => token.kind === 'option' && token.name === 'project');
  if (given?.kind !== 'option' || given.value === undefined)
    throw new Problem('config-invalid', '--project: the folder of a project is wanted');
  const rest = args.filter((_, i) => i !== given.index && (given.inlineValue || i !== given.index + 1));
  return { project: resolve(given.value), rest };
}

/** Packages with native parts are in no bundle (GPIO through sysfs): the built project finds those of the framework. */
function linkPackages(out: string): void {
  const link = join(out, 'node_modules');
  if (!existsSync(link)) symlinkSync(join(root, 'node_modules'), link, 'junction');
}

function keepBuilt(dir: string, out: string): void {
  let inputs: readonly string[] = [];
  let building: Promise<void> = Promise.resolve();
  const build = async () => {
    try {
      ({ inputs } = await buildProject(dir, out));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      for (const line of error.message.split('\n')) console.error(`project: ${line}`);
    }
    watch.follow(sourceDirs(dir, inputs));
  };
  const watch = new FolderWatch(() => {
    building = building.then(build);
  });
  watch.follow(sourceDirs(dir, inputs));
  building = build(); // what was changed before the watch began counts, too
}

try {
  const { project, rest } = split(process.argv.slice(2));
  const out = join(project, 'dist');
  await buildProject(project, out);
  linkPackages(out);
  process.env.EDGE_PROJECT = out;
  // a trial does not mix with the data of a box that this user has
  process.env.EDGE_DATA ??= join(project, 'data');
  keepBuilt(project, out);
  process.argv.splice(2, process.argv.length, ...rest);
  await import(join(root, 'dist', 'ledge.mjs'));
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  for (const line of error.message.split('\n')) console.error(`ledge: ${line}`);
  process.exit(error.code === 'config-invalid' ? EXIT_CONFIG : 1);
}
