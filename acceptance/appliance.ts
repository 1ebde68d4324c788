import type { AccessRule, ServiceView } from '@ledge/contract';
import { inject } from 'vitest';
import { type ApplianceOptions, startLocalAppliance } from './local-appliance.ts';

export { ADMIN_PASSWORD, type ApplianceOptions } from './local-appliance.ts';

/** An emulated board that the suite has switched on; see `image/tests/acceptance-machine.ts`. */
export interface Board {
  url: string;
  mqttPort: number;
  /** Unix socket of a root shell in it. */
  shell: string;
  slowness: number;
}
/** A Docker engine of this machine with our images in it; see `image/docker/tests/engine-setup.ts`. */
export interface Containers {
  /** `DOCKER_HOST`. */
  host: string;
  /** Does it start again when it ends? Only one that the tests started may be ended. */
  isOurs: boolean;
}
export type BrokerEngine = 'own' | 'mosquitto';
declare module 'vitest' {
  interface ProvidedContext {
    board?: Board;
    containers?: Containers;
    /** What containers have as their broker. */
    brokerEngine?: BrokerEngine;
  }
}

/** How many times slower than this machine the appliances of this suite are; see {@link Appliance.slowness}. */
export const slowness = inject('board')?.slowness ?? 1;
export const SERVICES = ['broker', 'device', 'sse', 'media', 'server'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface Answer<T = unknown> {
  status: number;
  body: T;
}

/**
 * A running Ledge as its users see it: HTTP, MQTT, files in its data directory, and a hand that kills. The tests beside this file
 * use only this, so the same tests can drive a container or a board.
 */
export interface Appliance {
  readonly url: string;
  readonly mqttPort: number;
  /** Where its data lies, in its own file system. */
  readonly dataDir: string;
  readonly edge: string;
  /** A bearer token of an admin. */
  readonly token: string;
  api<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  services(): Promise<ServiceView[]>;
  pidOf(service: ServiceName): Promise<number>;
  kill(service: ServiceName): Promise<void>;
  /** Through whoever looks after services where it runs. */
  stopService(service: ServiceName): Promise<void>;
  startService(service: ServiceName): Promise<void>;
  /** Kills one of its processes, or none when it is gone already. */
  killProcess(pid: number): Promise<void>;
  /** A child of one of its processes, by the program's name. */
  childOf(pid: number, program: string): Promise<number | undefined>;
  /** A file for `things/`, there whole or not at all; resolves with the moment (`performance.now()`) from which it was there. */
  dropThing(name: string, yaml: string): Promise<number>;
  /** How many times slower than this machine it is; what must happen in a second here may take so many seconds there. */
  readonly slowness: number;
  addMqttUser(name: string, password: string, rules: AccessRule[]): Promise<void>;
  /** Every line that it logged so far. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts an appliance as {@link startLocalAppliance} does. In the suite that has an emulated board instead
 * (`image/tests/acceptance-machine.ts`), that board is made as new; in those that have a Docker engine, containers are started.
 */
export async function startAppliance(options: ApplianceOptions = {}): Promise<Appliance> {
  const board = inject('board');
  if (board) return await (await import('../image/tests/vm/appliance.ts')).takeBoard(board, options);
  const containers = inject('containers');
  if (containers) return await (await import('../image/docker/tests/appliance.ts')).startContainers(containers, options);
  return await startLocalAppliance(options);
}

/** True when every service is ready by its own word, and live values come. */
export async function allWell(appliance: Appliance): Promise<boolean> {
  const { status, body } = await appliance.api<{ state: string; services: Record<string, string> }>('GET', '/api/server/health');
  return status === 200 && SERVICES.every((name) => body.services[name] === 'ready');
}
