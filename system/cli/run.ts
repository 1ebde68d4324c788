import { COMMANDS } from './commands.ts';
import { CliError, EXIT, type ExitCode } from './error.ts';
import type { World } from './world.ts';

const HELP = ['--help', '-h'];

/** Runs one command line, without the program's own name. Tells what went wrong, and returns how to end. */
export async function runCommand(world: World, argv: readonly string[]): Promise<ExitCode> {
  let [name = 'status', ...args] = argv;
  if (HELP.includes(name)) name = 'help';
  else if (name === '--version') name = 'version';
  else if (name.startsWith('-')) [name, args] = ['status', [...argv]];
  else if (args.some((arg) => HELP.includes(arg))) [name, args] = ['help', [name]];
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) {
      const { unknownCommand } = await import('./commands/help.ts');
      throw new CliError(EXIT.usage, unknownCommand(name));
    }
    return await (await command.load()).run(world, args);
  } catch (error) {
    if (error instanceof CliError) {
      world.console.error(`ledge: ${error.message}`);
      return error.code;
    }
    const why = error instanceof Error ? (world.environment.EDGE_LOG_LEVEL === 'debug' ? error.stack : error.message) : String(error);
    world.console.error(`ledge: something went wrong inside: ${why}`);
    return EXIT.failed;
  }
}
