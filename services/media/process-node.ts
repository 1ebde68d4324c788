import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { PlayerProcess, PlayerProcesses } from './process.ts';

export type ProcessEnvironment = Readonly<Record<string, string | undefined>>;

async function findProgram(name: string, environment: ProcessEnvironment): Promise<string | undefined> {
  const windows = process.platform === 'win32';
  const path = environment.PATH ?? environment.Path ?? '';
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, windows ? `${name}.exe` : name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

/** What configures us, the admin's first password among it, is nothing for a program that reads other people's streams. */
const withoutOurs = (environment: ProcessEnvironment) =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('EDGE_')));

/**
 * Real mplayer processes. mplayer plays on when its stdin closes, so on Linux `setpriv` (util-linux) has the kernel end it with us, however we end.
 * `home` keeps it away from the user's own mplayer settings.
 */
export function nodeProcesses(home: string, environment: ProcessEnvironment = process.env): PlayerProcesses {
  let guard: Promise<string | undefined> | undefined;
  let setpriv: string | undefined;
  return {
    async find() {
      guard ??= process.platform === 'linux' ? findProgram('setpriv', environment) : Promise.resolve(undefined);
      setpriv = await guard;
      return findProgram('mplayer', environment);
    },
    spawn(program, args): PlayerProcess {
      const [command, ...rest] = setpriv ? [setpriv, '--pdeathsig', 'KILL', program, ...args] : [program, ...args];
      const child = spawn(command ?? program, rest, {
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
        env: { ...withoutOurs(environment), HOME: home, MPLAYER_HOME: home, LC_ALL: 'C.UTF-8' },
      });
      // a write to an mplayer that just died fails here; that it died is told by `ended`
      child.stdin.on('error', () => {});
      return {
        pid: child.pid,
        write: (text) => void child.stdin.write(text),
        onStdout: (listener) => void child.stdout.on('data', listener),
        onStderr: (listener) => void child.stderr.on('data', listener),
        ended: new Promise((resolve) => {
          child.once('error', (error) => resolve({ code: null, signal: null, error }));
          child.once('close', (code, signal) => resolve({ code, signal }));
        }),
        kill: () => void child.kill('SIGKILL'),
      };
    },
  };
}
