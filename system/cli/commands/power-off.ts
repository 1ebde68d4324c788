import { readArguments } from '../arguments.ts';
import { EXIT, type ExitCode } from '../error.ts';
import { perform } from '../machine.ts';
import type { World } from '../world.ts';

export async function run(world: World, args: string[]): Promise<ExitCode> {
  readArguments('power-off', args, {});
  await perform(world, 'power-off');
  world.console.line('The box switches off now. Wait until its light has stopped blinking before you pull the plug.');
  return EXIT.done;
}
