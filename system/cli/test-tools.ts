import type { Output } from '@ledge/doctor';
import { Facts } from '@ledge/doctor';
import { type PretendedBox, pretendBox } from '@ledge/doctor/test-tools.ts';
import { DataDir } from '@ledge/kit/paths.ts';
import { runCommand } from './run.ts';
import { systemdServices } from './services/systemd.ts';
import type { HttpAnswer, HttpTarget, Services, World } from './world.ts';

export interface PretendedWorld {
  box?: PretendedBox;
  columns?: number;
  colour?: boolean;
  /** What the person types; nobody is there without. */
  types?: string;
  http?(target: HttpTarget, path: string, headers: Record<string, string>): HttpAnswer | undefined;
  services?: Services;
  /** Answers of systemctl to what changes something; systemd says yes without. */
  systemctl?(args: readonly string[]): Output | undefined;
  /** Lines of journalctl. */
  journal?: readonly string[];
  environment?: Record<string, string>;
}

export interface Ran {
  code: number;
  out: string;
  error: string;
  /** Programs that were run to change something, or whose lines were read. */
  commands: string[];
}

const QUIET = ['show', 'list-units'];

/** Runs a command line on a card that is healthy, but for what is given. */
export async function ledge(line: string, given: PretendedWorld = {}): Promise<Ran> {
  const out: string[] = [];
  const errors: string[] = [];
  const commands: string[] = [];
  const healthy = pretendBox({ user: 'ledge', ...given.box });
  const ports = {
    ...healthy,
    async run(program: string, args: readonly string[]): Promise<Output> {
      const words = args.filter((word) => !['--no-pager', '--no-ask-password'].includes(word));
      if (program !== 'systemctl' || QUIET.includes(words[0] ?? '')) return await healthy.run(program, args);
      commands.push(`${program} ${words.join(' ')}`);
      return given.systemctl?.(words) ?? { code: 0, stdout: '', stderr: '' };
    },
  };
  const world: World = {
    console: {
      line: (text = '') => void out.push(text),
      error: (text) => void errors.push(text),
      columns: given.columns ?? 80,
      colour: given.colour ?? false,
      ask: async (question) => {
        out.push(question);
        return given.types;
      },
    },
    environment: given.environment ?? {},
    ports,
    data: new DataDir('/var/lib/ledge', '/run/ledge'),
    hostname: 'ledge-a1b2',
    signal: new AbortController().signal,
    async http(target, path, headers = {}) {
      const answer = given.http?.(target, path, headers);
      if (!answer) throw new Error('connect ECONNREFUSED');
      return answer;
    },
    async *lines(program, args) {
      commands.push(`${program} ${args.join(' ')}`);
      yield* given.journal ?? [];
    },
    services: async () => given.services ?? systemdServices(world, new Facts(ports)),
  };
  const code = await runCommand(world, line.split(' ').filter(Boolean));
  return { code, out: out.join('\n'), error: errors.join('\n'), commands };
}

const HEALTH = {
  state: 'ready',
  version: '0.1.0',
  edge: 'ledge-a1b2c3d4',
  name: 'Barn',
  setupNeeded: false,
  services: { broker: 'ready', device: 'ready', media: 'ready', server: 'ready', sse: 'ready' },
};

/** A server that answers on its socket, or only on a port. */
export const serverAt =
  (where: 'socket' | number, { health = {}, settings = { port: 80, host: '0.0.0.0' } }: { health?: object; settings?: object } = {}) =>
  (target: HttpTarget, path: string, headers: Record<string, string>): HttpAnswer | undefined => {
    if ('port' in target)
      return where === target.port && path === '/api/server/health' ? { status: 200, body: { ...HEALTH, ...health } } : undefined;
    if (where !== 'socket' || target.socketPath !== '/run/ledge/server.sock') return undefined;
    if (path === '/health') return { status: 200, body: { ...HEALTH, ...health } };
    return headers['x-ledge-role'] === 'viewer' ? { status: 200, body: { values: settings } } : { status: 401, body: {} };
  };
