import { existsSync } from 'node:fs';
import type { LogLine } from '@ledge/contract';
import type { DoctorPorts } from '@ledge/doctor';
import type { ProjectRelease } from '@ledge/host/linux/image-facts.ts';
import { DataDir, type Environment } from '@ledge/kit/paths.ts';
import type { Console } from './console.ts';

export const VERSION = '0.1.0';
const IMAGE_DATA = '/var/lib/ledge';
const IMAGE_RUN = '/run/ledge';

/** A commit as people write it; what stands behind its digits stays. */
export const shortCommit = (commit: string) => commit.replace(/^([0-9a-f]{7})[0-9a-f]+/, '$1');

/** A project that was built into the image: `weather-station 1.2.0 (abc1234)`. */
export const projectWords = ({ name, version, commit }: ProjectRelease) => `${name} ${version}${commit ? ` (${shortCommit(commit)})` : ''}`;

/** A service as `ledge status` shows it. */
export interface ServiceRow {
  name: string;
  /** In one word: `running`, `starting`, `stopped`, `failed`, `waiting`. */
  state: string;
  upS?: number;
  memoryBytes?: number;
  memoryLimitBytes?: number;
  restarts?: number;
  /** Why it does not run, for people. */
  detail?: string;
}

/** Whoever runs the services here: systemd on the card, our supervisor elsewhere. Each throws `CliError`. */
export interface Services {
  list(): Promise<ServiceRow[]>;
  restart(name: string): Promise<void>;
  /** The newest lines, oldest first, then, with `follow`, live ones until the signal ends. */
  logs(query: { service?: string; last: number; follow: boolean; signal: AbortSignal }): AsyncIterable<LogLine>;
}

export interface HttpAnswer {
  status: number;
  body: unknown;
}
/** Where to ask: a Unix socket, or a port of this machine. */
export type HttpTarget = { socketPath: string } | { port: number };

/** What the command touches. A test gives its own. */
export interface World {
  console: Console;
  environment: Environment;
  ports: DoctorPorts;
  data: DataDir;
  hostname: string;
  /** Ends when the person has had enough (Ctrl-C). */
  signal: AbortSignal;
  /** Asks a service of this machine; throws where nobody answers in time. */
  http(target: HttpTarget, path: string, headers?: Record<string, string>): Promise<HttpAnswer>;
  /** Lines of a program's output as they come, until it or the signal ends; throws `CliError` with what it said when it failed. */
  lines(program: string, args: readonly string[], signal: AbortSignal): AsyncIterable<string>;
  services(): Promise<Services>;
}

/** Data and sockets of the box: as the environment says, on the card where the image has them, else this user's own. */
export function dataOf(environment: Environment, exists = existsSync): DataDir {
  if (environment.EDGE_DATA !== undefined || !exists('/usr/lib/ledge/release.json')) return DataDir.of(environment);
  return new DataDir(IMAGE_DATA, environment.EDGE_RUN ?? IMAGE_RUN);
}
