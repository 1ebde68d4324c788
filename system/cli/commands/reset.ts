import { readArguments } from '../arguments.ts';
import { CliError, EXIT, type ExitCode } from '../error.ts';
import { onlyOnImage, perform } from '../machine.ts';
import type { World } from '../world.ts';

const FLAG = 'yes-delete-everything';

export async function run(world: World, args: string[]): Promise<ExitCode> {
  const { values } = readArguments('reset', args, { [FLAG]: { type: 'boolean', default: false } });
  const { console, data, ports } = world;
  await onlyOnImage(world);
  if (!values[FLAG]) {
    const id = (await ports.files.read(`${data.root}/edge-id`))?.trim();
    if (!id) throw new CliError(EXIT.failed, `The box's id cannot be read. To reset all the same: ledge reset --${FLAG}`);
    console.line('Everything that was stored on this box is deleted: settings, people, things, history, music,');
    console.line('Wi-Fi passwords. The box starts again as it came from its image. Nothing of it can be brought back.');
    const typed = await console.ask(`Type ${id} to go on: `);
    if (typed === undefined) throw new CliError(EXIT.usage, `Nobody can answer here; give --${FLAG} to reset without asking.`);
    if (typed.trim() !== id) {
      console.line('That is not the id. Nothing was done.');
      return EXIT.failed;
    }
  }
  await perform(world, 'factory-reset');
  console.line('The box deletes everything and restarts now.');
  return EXIT.done;
}
