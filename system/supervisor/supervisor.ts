import type { LogLine } from '@ledge/contract';
import { type Clock, DataDir, type Environment, ensureSecret, type Random } from '@ledge/kit';
import { Child, type Spawn } from './child.ts';
import { ControlSocket } from './control.ts';
import { lockDataDir } from './lock.ts';
import { MergedLog } from './log.ts';
import { checkNames, checkPorts } from './preflight.ts';
import type { ServicePlan } from './services.ts';

export interface SupervisorOptions {
  environment: Environment;
  plans: readonly ServicePlan[];
  spawn: Spawn;
  clock: Clock;
  random: Random;
  pid: number;
  print(line: LogLine): void;
}

/** The services tree where there is no systemd: starts in order, restarts what dies, stops in reverse order. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log = new MergedLog();
  readonly #children = new Map<string, Child>();
  #control: ControlSocket | undefined;
  #lock: { release(): void } | undefined;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every service has been ready once. The broker comes first, because all others speak through it; the rest start together.
   * @throws Problem `already-running`, `config-invalid` or `port-taken` before anything is started.
   */
  async start(): Promise<void> {
    const { environment, plans, pid } = this.#options;
    const data = DataDir.of(environment);
    this.#lock = lockDataDir(data.root, pid);
    try {
      checkNames(data, environment, plans);
      const { http, mqtt } = await checkPorts(data, environment);
      for (const plan of plans) ensureSecret(data.mqttSecretFile(plan.name));
      data.edgeId();
      this.#prepare();
      await this.#control?.listen(data.socketPath('supervisor'));
      const [first, ...rest] = this.#children.values();
      this.#say('starting', { data: data.root, services: plans.map((plan) => plan.name).join(' ') });
      first?.start();
      await first?.ready();
      if (this.#stopping) return;
      for (const child of rest) child.start();
      await Promise.all(rest.map((child) => child.ready()));
      if (!this.#stopping)
        this.#say(`ready: http://${forPeople(http.host)}:${http.port}/  mqtt://${forPeople(mqtt.host)}:${mqtt.port}`, {});
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const child of [...this.#children.values()].reverse()) await child.stop();
    await this.#control?.close();
    this.#lock?.release();
    this.#lock = undefined;
  }

  #prepare(): void {
    const { plans, spawn, clock, random, print } = this.#options;
    this.#log.follow(print);
    for (const plan of plans) {
      this.#children.set(plan.name, new Child(plan, { spawn, clock, random, log: (line) => this.#log.add(line) }));
    }
    this.#control = new ControlSocket(this.#children, this.#log);
  }

  #say(message: string, fields: Record<string, unknown>): void {
    this.#log.add({ time: new Date(this.#options.clock.now()).toISOString(), service: 'supervisor', level: 30, message, fields });
  }
}

const forPeople = (host: string) => (['0.0.0.0', '::', '*'].includes(host) ? 'localhost' : host);
