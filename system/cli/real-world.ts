import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { Facts } from '@ledge/doctor/facts.ts';
import { realPorts } from '@ledge/doctor/ports.ts';
import type { Environment } from '@ledge/kit/paths.ts';
import type { Console } from './console.ts';
import { CliError, EXIT } from './error.ts';
import { dataOf, type HttpAnswer, type HttpTarget, VERSION, type World } from './world.ts';

const HTTP_WITHIN_MS = 2000;
const USUAL_COLUMNS = 80;

/** The machine, terminal and user that this process has. */
export function realWorld(environment: Environment, signal: AbortSignal): World {
  const data = dataOf(environment);
  const ports = realPorts({ dataRoot: data.root, version: VERSION, signal });
  return {
    console: terminal(environment),
    environment,
    ports,
    data,
    hostname: hostname(),
    signal,
    http: askHttp,
    lines: programLines,
    async services() {
      const facts = new Facts(ports);
      const onImage = await facts.isImage();
      if (onImage) return (await import('./services/systemd.ts')).systemdServices(this, facts);
      return (await import('./services/supervisor.ts')).supervisorServices(this);
    },
  };
}

function terminal(environment: Environment): Console {
  const { stdin, stdout, stderr } = process;
  return {
    line: (text = '') => void stdout.write(`${text}\n`),
    error: (text) => void stderr.write(`${text}\n`),
    columns: stdout.columns || USUAL_COLUMNS, // a serial line says 0
    colour: stdout.isTTY && !environment.NO_COLOR && environment.TERM !== 'dumb',
    async ask(question) {
      if (!stdin.isTTY) return undefined;
      const lines = createInterface({ input: stdin, output: stdout });
      try {
        return await new Promise<string | undefined>((resolve) => {
          lines.once('close', () => resolve(''));
          lines.question(question, resolve);
        });
      } finally {
        lines.close();
      }
    },
  };
}

async function askHttp(target: HttpTarget, path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  // imported, it has each of its exports read, and one of them loads all of fetch: 40 ms here, a tenth of a second and more on a small board
  const { request } = process.getBuiltinModule('node:http');
  const where = 'port' in target ? { host: '127.0.0.1', port: target.port } : target;
  return await new Promise((resolve, reject) => {
    const call = request({ ...where, path, headers, agent: false, timeout: HTTP_WITHIN_MS }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.once('error', reject);
      answer.once('end', () => {
        try {
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      });
    });
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.once('error', reject);
    call.end();
  });
}

async function* programLines(program: string, args: readonly string[], signal: AbortSignal): AsyncGenerator<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  let complaint = '';
  child.stderr.on('data', (part: Buffer) => {
    complaint = `${complaint}${part}`.slice(-1000);
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? 'it is not installed here' : error.message));
    child.once('close', (code) => resolve(code ?? 0));
  });
  const stop = () => void child.kill();
  signal.addEventListener('abort', stop);
  try {
    yield* createInterface({ input: child.stdout });
    const code = await ended;
    if (signal.aborted || code === 0) return;
    throw new CliError(
      EXIT.away,
      `${program}: ${typeof code === 'string' ? code : (complaint.trim().split('\n')[0] ?? `it ended with ${code}`)}`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
