import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { CliError, EXIT } from './error.ts';

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>>;

/**
 * Options and up to `most` words of a command.
 * @throws CliError `usage`, naming what is not understood
 */
export function readArguments<const O extends ParseArgsOptionsConfig>(command: string, args: string[], options: O, most = 0): Parsed<O> {
  let parsed: Parsed<O>;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw new CliError(EXIT.usage, `${why.replace(/\.$/, '')}; see ledge help ${command}`);
  }
  const extra = parsed.positionals[most];
  if (extra !== undefined) throw new CliError(EXIT.usage, `${JSON.stringify(extra)} is too much; see ledge help ${command}`);
  return parsed;
}

/** @throws CliError `usage` for a word that cannot be a service's name */
export function serviceName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/.test(text)) return text;
  throw new CliError(EXIT.usage, `${JSON.stringify(text)} is no name of a service; lower-case letters, digits and hyphens are wanted.`);
}
