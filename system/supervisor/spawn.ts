import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Environment, SupervisorMessage } from '@ledge/kit';
import type { ServiceProcess, Spawn } from './child.ts';
import { heapLimitMb } from './services.ts';

/** Nobody but the server has to know it. */
const SERVER_ONLY = 'EDGE_ADMIN_PASSWORD';

/** What a service sees of the environment. */
export function environmentOf(name: string, environment: Environment): Environment {
  const { [SERVER_ONLY]: password, ...rest } = environment;
  return {
    // glibc gives each thread a heap of its own, and memory freed in one is of no use to another; a service has one busy thread
    MALLOC_ARENA_MAX: '2',
    ...rest,
    ...(name === 'server' && password !== undefined ? { [SERVER_ONLY]: password } : {}),
    EDGE_SERVICE: name,
  };
}

/**
 * Starts services as Node processes with an IPC channel. They have a process group of their own where there are such,
 * so that Ctrl-C reaches only the supervisor, which stops them in order; when the supervisor dies they stop by the broken channel.
 */
export const nodeSpawn =
  (environment: Environment): Spawn =>
  (plan) => {
    const child = fork(plan.module, [], {
      env: environmentOf(plan.name, environment),
      execArgv: [`--max-old-space-size=${heapLimitMb(plan.memoryLimitMb)}`, '--max-semi-space-size=2'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32',
    });
    return asServiceProcess(child);
  };

function asServiceProcess(child: ChildProcess): ServiceProcess {
  const ended = new Promise<{ how: string; code: number | null }>((resolve) => {
    child.once('error', (error) => resolve({ how: `could not be started: ${error.message}`, code: null }));
    child.once('close', (code, signal) => resolve({ how: signal ? `killed by ${signal}` : `exit code ${code}`, code }));
  });
  return {
    get pid() {
      return child.pid;
    },
    send: (message) => {
      if (child.connected) child.send(message, () => {});
    },
    kill: () => void child.kill('SIGKILL'),
    onMessage: (listener) => void child.on('message', (message) => listener(message as SupervisorMessage)),
    onLine(listener) {
      for (const name of ['stdout', 'stderr'] as const) {
        const stream = child[name];
        if (stream) createInterface({ input: stream }).on('line', (line) => listener(line, name));
      }
    },
    ended,
  };
}
