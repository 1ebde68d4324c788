import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort, until } from '@ledge/testing';
import { inject } from 'vitest';
import {
  ADMIN_PASSWORD,
  type ApplianceOptions,
  allWell,
  type Containers,
  SERVICES,
  type ServiceName,
} from '../../../acceptance/appliance.ts';
import { HttpAppliance } from '../../../acceptance/http-appliance.ts';
import { findChild, killHere } from '../../../acceptance/local-appliance.ts';
import { run } from '../../run.ts';
import { composeCommand } from './engine.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const READY_WITHIN_MS = 60_000;
export const FILES = { own: ['docker-compose.yml'], mosquitto: ['docker-compose.yml', 'docker-compose.mosquitto.yml'] } as const;

/**
 * Starts the compose file of this checkout as a project of its own on free ports; resolves when every service is ready. Two may run at once.
 * @param options only `things`: containers take nothing else from outside
 * @param files other compose files, such as a project's
 */
export async function startContainers(
  containers: Containers,
  options: ApplianceOptions = {},
  files: readonly string[] = FILES[inject('brokerEngine') ?? 'own'].map((file) => join(root, file)),
): Promise<ContainerAppliance> {
  if (options.config || options.dataDir || options.environment) throw new Error('containers take only things');
  const ledge = new ContainerAppliance(containers, await freePort(), await freePort(), files);
  try {
    await ledge.compose('up', '--detach');
    await ledge.signIn(ADMIN_PASSWORD);
    await until('all services to be ready', () => allWell(ledge), READY_WITHIN_MS);
    for (const [name, yaml] of Object.entries(options.things ?? {})) await ledge.dropThing(name, yaml);
    return ledge;
  } catch (error) {
    const said = await ledge.logs().catch(() => '');
    await ledge.stop();
    throw new Error(`the containers did not start:\n${said.slice(-4000)}`, { cause: error });
  }
}

/** Drives the services as containers, from this machine, on which their engine runs. */
export class ContainerAppliance extends HttpAppliance {
  readonly url: string;
  readonly mqttPort: number;
  readonly dataDir = '/var/lib/ledge';
  readonly log: string[] = [];
  readonly slowness = 1;
  readonly project = `ledge-test-${randomBytes(4).toString('hex')}`;
  readonly #environment: Record<string, string>;
  readonly #files: readonly string[];

  constructor({ host }: Containers, httpPort: number, mqttPort: number, files: readonly string[]) {
    super();
    this.url = `http://127.0.0.1:${httpPort}`;
    this.mqttPort = mqttPort;
    this.#environment = {
      DOCKER_HOST: host,
      EDGE_HTTP_PORT: String(httpPort),
      EDGE_MQTT_PORT: String(mqttPort),
      EDGE_PUBLISH: '127.0.0.1',
    };
    this.#files = files;
  }

  async compose(...args: readonly string[]): Promise<string> {
    const command = await composeCommand();
    if (!command) throw new Error('docker-compose is not installed');
    const [program, ...words] = command;
    const files = this.#files.flatMap((file) => ['-f', file]);
    return await run(program, [...words, '-p', this.project, ...files, ...args], { environment: this.#environment });
  }

  /** Standard output of the engine's command. */
  async docker(...args: readonly string[]): Promise<string> {
    return (await run('docker', args, { environment: this.#environment })).trim();
  }

  async logs(): Promise<string> {
    return await this.compose('logs', '--no-color', '--tail', '40');
  }

  /** The id of a service's container. */
  async containerOf(service: string): Promise<string> {
    const label = (key: string, value: string) => ['--filter', `label=com.docker.compose.${key}=${value}`];
    const id = await this.docker('ps', '--all', '--quiet', '--no-trunc', ...label('project', this.project), ...label('service', service));
    if (id === '') throw new Error(`${service} has no container`);
    return id;
  }

  /** What the engine tells of a service's container. */
  async inspect(service: ServiceName): Promise<ContainerFacts> {
    const [facts] = JSON.parse(await this.docker('inspect', await this.containerOf(service))) as [ContainerFacts];
    return facts;
  }

  /** Runs a script by Node in a service's container; there is no need for a shell. */
  async exec(service: string, script: string, input = '', args: readonly string[] = []): Promise<string> {
    const command = ['exec', '-i', await this.containerOf(service), '/usr/bin/node', '--input-type=commonjs', '-e', script, '--', ...args];
    const child = spawn('docker', command, { env: { ...process.env, ...this.#environment }, stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (part) => (out += part));
    child.stdin.end(input);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`the script in ${service} ended with ${code}: ${script}`);
    return out.trim();
  }

  override async pidOf(service: ServiceName): Promise<number> {
    return await until(`a process of ${service}`, () => this.#pidNow(service), 20_000);
  }

  /** Not of the engine's small init, whose child the service is. */
  async #pidNow(service: ServiceName): Promise<number | undefined> {
    const { Pid } = (await this.inspect(service)).State;
    return Pid === 0 ? undefined : findChild(Pid);
  }

  /**
   * `docker kill`, and a start by whoever looks after the containers: Docker's own restarts wait longer each time, up to a minute, when a
   * container did not live for ten seconds.
   */
  override async kill(service: ServiceName): Promise<void> {
    await this.docker('kill', await this.containerOf(service));
    // its time counts among what passes until all is right again
    this.startService(service).catch((error: unknown) => console.error(error));
  }

  override async killProcess(pid: number): Promise<void> {
    for (const service of SERVICES) {
      if ((await this.#pidNow(service)) === pid) {
        await this.kill(service);
        return;
      }
    }
    killHere(pid);
  }

  override async childOf(pid: number, program: string): Promise<number | undefined> {
    return findChild(pid, program);
  }

  override async stopService(service: ServiceName): Promise<void> {
    await this.docker('stop', await this.containerOf(service));
  }

  override async startService(service: ServiceName): Promise<void> {
    await this.docker('start', await this.containerOf(service));
  }

  override async dropThing(name: string, yaml: string): Promise<number> {
    const script = `
      const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
      const folder = process.env.EDGE_DATA + '/things';
      mkdirSync(folder, { recursive: true });
      writeFileSync(folder + '/../draft', readFileSync(0));
      renameSync(folder + '/../draft', folder + '/' + process.argv[1]);
      console.log(performance.timeOrigin + performance.now());`;
    const atMs = Number(await this.exec('device', script, yaml, [name]));
    return atMs - performance.timeOrigin; // containers have the clock of this machine
  }

  override async stop(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '10');
  }
}

/** A part of what `docker inspect` tells (Docker Engine API, "Inspect a container"). */
export interface ContainerFacts {
  State: { Pid: number; StartedAt: string; Running: boolean; ExitCode: number; OOMKilled: boolean; Health?: { Status: string } };
  Config: { User: string; Image: string };
  HostConfig: {
    Privileged: boolean;
    ReadonlyRootfs: boolean;
    CapAdd: string[] | null;
    CapDrop: string[] | null;
    SecurityOpt: string[] | null;
    Memory: number;
    PidsLimit: number | null;
    NetworkMode: string;
    PidMode: string;
    IpcMode: string;
    Devices: unknown[] | null;
    RestartPolicy: { Name: string };
    LogConfig: { Type: string; Config: Record<string, string> };
  };
  Mounts: { Type: string; Destination: string; RW: boolean }[];
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> };
}
