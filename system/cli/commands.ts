import type { ExitCode } from './error.ts';
import type { World } from './world.ts';

export interface Command {
  usage: string;
  summary: string;
  /** More for `ledge help COMMAND`. */
  details?: string;
  /** Loaded only when it is the one. */
  load(): Promise<{ run(world: World, args: string[]): Promise<ExitCode> }>;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  status: {
    usage: 'ledge [status] [--json]',
    summary: 'what this box is, how to reach it, and how it fares',
    load: () => import('./commands/status.ts'),
  },
  doctor: {
    usage: 'ledge doctor [--json]',
    summary: 'is everything as it should be, and what to do if not',
    details: 'Ends with 1 if there is a fault; warnings end with 0. What you may not see is skipped, with the reason.',
    load: () => import('./commands/doctor.ts'),
  },
  logs: {
    usage: 'ledge logs [SERVICE] [-n LINES] [-f]',
    summary: 'the newest log lines, of all services or one',
    details:
      'SERVICE is broker, device, media, server, sse, or one of your own. Without -n it gives the last 50 lines; -f goes on with live ones until Ctrl-C.',
    load: () => import('./commands/logs.ts'),
  },
  restart: {
    usage: 'ledge restart SERVICE',
    summary: 'restart one service',
    load: () => import('./commands/restart.ts'),
  },
  version: {
    usage: 'ledge version',
    summary: 'which Ledge this is',
    load: () => import('./commands/version.ts'),
  },
  reboot: {
    usage: 'ledge reboot',
    summary: 'restart the box',
    load: () => import('./commands/reboot.ts'),
  },
  'power-off': {
    usage: 'ledge power-off',
    summary: 'switch the box off',
    load: () => import('./commands/power-off.ts'),
  },
  reset: {
    usage: 'ledge reset [--yes-delete-everything]',
    summary: 'delete all data and settings, and start as new',
    details: "Asks for the box's id first. --yes-delete-everything does not ask, for scripts.",
    load: () => import('./commands/reset.ts'),
  },
  help: {
    usage: 'ledge help [COMMAND]',
    summary: 'this text, or more on one command',
    load: () => import('./commands/help.ts'),
  },
};
