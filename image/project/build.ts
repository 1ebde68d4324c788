import { join, resolve } from 'node:path';
import { type BuiltProject, readBuiltProject } from '@ledge/kit';
import { buildProject } from '../../tools/project.ts';

/**
 * Builds the project of `--project`, if one is asked for: first of all, as what is wrong with it is somebody's to mend.
 * @param work a folder that is thrown away afterwards
 */
export async function buildProjectInto(
  work: string,
  path: string | undefined,
): Promise<{ sources: string; built: BuiltProject } | undefined> {
  if (path === undefined) return undefined;
  const sources = resolve(path);
  const out = join(work, 'project');
  await buildProject(sources, out);
  return { sources, built: readBuiltProject(out) };
}
