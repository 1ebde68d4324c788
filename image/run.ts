import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

export interface RunOptions {
  cwd?: string;
  environment?: Readonly<Record<string, string>>;
  /** Its standard input. */
  input?: string | Buffer;
  /** Both outputs go here instead of into the answer. */
  logFile?: string;
}

/**
 * Runs a program with an argument list, never through a shell; resolves with its standard output.
 * @throws Error with the command and the end of what it printed
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await runBytes(command, args, options)).toString();
}

/** As {@link run}, for output that is not text. */
export async function runBytes(command: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const log = options.logFile === undefined ? undefined : openSync(options.logFile, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...options.environment },
    stdio: ['pipe', log ?? 'pipe', log ?? 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (part: Buffer) => out.push(part));
  child.stderr?.on('data', (part: Buffer) => err.push(part));
  child.stdin?.on('error', () => {}); // it ended without reading all of it
  child.stdin?.end(options.input);
  const how = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : signal ? `was killed by ${signal}` : `ended with ${code}`));
  });
  if (how === undefined) return Buffer.concat(out);
  const said = options.logFile
    ? `see ${options.logFile}`
    : Buffer.concat([...err, ...out])
        .toString()
        .slice(-3000);
  throw new Error(`${[command, ...args].join(' ').slice(0, 300)} ${how}\n${said}`);
}

/** @throws Error where images cannot be made: chroot and overlay mounts are Linux's, and root's */
export function wantRoot(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('Images are made on Linux, as root: chroot and overlay mounts need it.');
}
