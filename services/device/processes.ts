import { spawn } from 'node:child_process';
import type { ChildProcessPort, Processes } from '@ledge/sdk';
import { LineSplitter } from './lines.ts';

const STDERR_KEPT_BYTES = 2048;

/** The machine's own child processes. Their messages are in English, so that they can be understood here. */
export const systemProcesses: Processes = {
  spawn(command, args) {
    const child = spawn(command, args, { stdio: 'pipe', shell: false, windowsHide: true, env: { ...process.env, LC_ALL: 'C' } });
    const listeners: ((line: string) => void)[] = [];
    const lines = new LineSplitter((line) => {
      for (const listener of listeners) listener(line);
    });
    let stderr: Buffer = Buffer.alloc(0);
    let error: Error | undefined;

    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_KEPT_BYTES);
    });
    // a child that is gone cannot be written to; `ended` tells that already
    child.stdin.on('error', () => {});
    child.on('error', (cause) => {
      error ??= cause;
    });
    const ended: ChildProcessPort['ended'] = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        const started = child.pid !== undefined;
        const end = { code: started ? code : null, signal, stderr: stderr.toString() };
        resolve(error && !started ? { ...end, error } : end);
      });
    });
    return {
      onLine(listener) {
        listeners.push(listener);
      },
      ended,
      write(text) {
        child.stdin.write(text);
      },
      kill(signal = 'SIGTERM') {
        child.kill(signal);
      },
    };
  },
};

/** Output and end of a short-lived program. */
export interface Finished {
  code: number | null;
  lines: string[];
  stderr: string;
  /** It could not be started. */
  error?: Error;
}

/** Runs a program to its end and collects its lines. A signal that aborts kills it. */
export async function runToEnd(processes: Processes, command: string, args: readonly string[], signal?: AbortSignal): Promise<Finished> {
  signal?.throwIfAborted();
  const child = processes.spawn(command, args);
  const lines: string[] = [];
  child.onLine((line) => lines.push(line));
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  try {
    const { code, stderr, error } = await child.ended;
    signal?.throwIfAborted();
    return error ? { code, lines, stderr, error } : { code, lines, stderr };
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}
