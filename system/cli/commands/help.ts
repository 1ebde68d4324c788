import { readArguments } from '../arguments.ts';
import { COMMANDS } from '../commands.ts';
import { styled, table, wrap } from '../console.ts';
import { CliError, EXIT, type ExitCode } from '../error.ts';
import type { World } from '../world.ts';

const CODES =
  'Ends with 0: done, 1: a fault, or it did not work, 2: not understood, 3: this machine cannot do that, 4: not allowed, 5: nobody answers.';

export async function run({ console }: World, args: string[]): Promise<ExitCode> {
  const [name] = readArguments('help', args, {}, 1).positionals;
  if (name === undefined) {
    console.line('The ledge command tells how this box fares, and what it can do for you.');
    console.line();
    for (const line of table(Object.entries(COMMANDS).map(([command, { summary }]) => [`  ${command}`, summary]))) console.line(line);
    console.line();
    for (const line of wrap(`Without a command: status. ledge help COMMAND tells its options. ${CODES}`, console.columns))
      console.line(line);
    return EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new CliError(EXIT.usage, unknownCommand(name));
  console.line(styled(console, 'bold', command.usage));
  console.line();
  console.line(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`);
  for (const line of wrap(command.details ?? '', console.columns)) console.line(line);
  return EXIT.done;
}

export const unknownCommand = (name: string) =>
  `There is no command ${JSON.stringify(name)}; there are ${Object.keys(COMMANDS).join(', ')}.`;
