import { formatLine } from '@ledge/supervisor/log.ts';
import { readArguments, serviceName } from '../arguments.ts';
import { CliError, EXIT, type ExitCode } from '../error.ts';
import type { World } from '../world.ts';

const USUAL_LINES = '50';
const MOST_LINES = 100_000;

export async function run(world: World, args: string[]): Promise<ExitCode> {
  const { values, positionals } = readArguments(
    'logs',
    args,
    { lines: { type: 'string', short: 'n', default: USUAL_LINES }, follow: { type: 'boolean', short: 'f', default: false } },
    1,
  );
  const last = Number(values.lines);
  if (!/^\d+$/.test(values.lines) || last > MOST_LINES)
    throw new CliError(EXIT.usage, `-n is ${JSON.stringify(values.lines)}; a number of lines up to ${MOST_LINES} is wanted.`);
  const service = positionals[0] === undefined ? undefined : serviceName(positionals[0]);
  const { console, signal } = world;
  let lines = 0;
  const query = { last, follow: values.follow, signal, ...(service ? { service } : {}) };
  for await (const line of (await world.services()).logs(query)) {
    lines++;
    console.line(formatLine(line, console.colour));
  }
  if (lines === 0 && !values.follow) console.error(`There are no lines${service ? ` of ${service}` : ''}.`);
  return EXIT.done;
}
