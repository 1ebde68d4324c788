import { Facts } from '@ledge/doctor/facts.ts';
import { Unseen } from '@ledge/doctor/ports.ts';
import { readArguments } from '../arguments.ts';
import { EXIT, type ExitCode } from '../error.ts';
import { projectWords, shortCommit, VERSION, type World } from '../world.ts';

export async function run({ console, ports }: World, args: string[]): Promise<ExitCode> {
  readArguments('version', args, {});
  const release = await new Facts(ports).release().catch((error: unknown) => {
    if (error instanceof Unseen) return undefined;
    throw error;
  });
  const { version = VERSION, commit, built, machine, project } = release ?? {};
  const more = [...(machine ? [`for ${machine}`] : []), ...(built ? [`built ${built}`] : []), `Node ${process.versions.node}`];
  console.line(`Ledge ${version}${commit ? ` (${shortCommit(commit)})` : ''}, ${more.join(', ')}`);
  if (project) console.line(projectWords(project));
  return EXIT.done;
}
