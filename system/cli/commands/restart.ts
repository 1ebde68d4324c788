import { readArguments, serviceName } from '../arguments.ts';
import { CliError, EXIT, type ExitCode } from '../error.ts';
import type { World } from '../world.ts';

export async function run(world: World, args: string[]): Promise<ExitCode> {
  const [given] = readArguments('restart', args, {}, 1).positionals;
  if (given === undefined) throw new CliError(EXIT.usage, 'Which service? See ledge status for their names.');
  const name = serviceName(given);
  await (await world.services()).restart(name);
  world.console.line(`${name} was restarted.`);
  return EXIT.done;
}
