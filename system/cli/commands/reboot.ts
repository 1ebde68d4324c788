import { readArguments } from '../arguments.ts';
import { EXIT, type ExitCode } from '../error.ts';
import { perform } from '../machine.ts';
import type { World } from '../world.ts';

export async function run(world: World, args: string[]): Promise<ExitCode> {
  readArguments('reboot', args, {});
  await perform(world, 'reboot');
  world.console.line('The box restarts now.');
  return EXIT.done;
}
