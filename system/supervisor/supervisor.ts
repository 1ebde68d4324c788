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
  /** Children that are no longer on the list, and may still be stopping. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #control: ControlSocket;
  #lock: { release(): void } | undefined;
  #stopping = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log.follow(options.print);
    for (const plan of options.plans) this.#add(plan);
    this.#control = new ControlSocket(this.#children, this.#log);
  }

  /**
   * Resolves when every service has been ready once, but for optional ones, which may fail. The broker comes first, because all others
   * speak through it; the rest start together.
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
      await this.#control.listen(data.socketPath('supervisor'));
      const [first, ...rest] = this.#children.values();
      this.say(30, 'starting', { data: data.root, services: plans.map((plan) => plan.name).join(' ') });
      first?.start();
      await first?.ready();
      if (this.#stopping) return;
      for (const child of rest) child.start();
      await Promise.all(rest.filter((child) => !child.plan.isOptional).map((child) => child.ready()));
      if (!this.#stopping) this.say(30, `ready: http://${forPeople(http.host)}:${http.port}/  mqtt://${forPeople(mqtt.host)}:${mqtt.port}`);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#changing;
    for (const child of [...this.#children.values()].reverse()) await child.stop();
    await Promise.all(this.#leaving);
    await this.#control.close();
    this.#lock?.release();
    this.#lock = undefined;
  }

  /**
   * Another list of services while they run: what is new is started, what has another program is started anew, what is gone is stopped.
   * The others are not touched.
   */
  async change(plans: readonly ServicePlan[]): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change(plans));
    await this.#changing;
  }

  async #change(plans: readonly ServicePlan[]): Promise<void> {
    if (this.#stopping) return;
    const data = DataDir.of(this.#options.environment);
    for (const [name, child] of this.#children) {
      if (plans.some((plan) => plan.name === name)) continue;
      this.say(30, `${name} is gone from the project; it is stopped`);
      // off the list first: who hears that it stops asks for the list, and must not find it
      this.#children.delete(name);
      const left: Promise<void> = child.stop({ forGood: true }).finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
    const replaced = plans.map(async (plan) => {
      const child = this.#children.get(plan.name);
      if (!child) {
        this.say(30, `${plan.name} is new in the project; it is started`);
        ensureSecret(data.mqttSecretFile(plan.name));
        this.#add(plan).start();
      } else if (child.plan.sha256 !== plan.sha256 || child.plan.memoryLimitMb !== plan.memoryLimitMb) {
        this.say(30, `${plan.name} has another program; it starts anew`);
        await child.replace(plan);
      }
    });
    await Promise.all(replaced);
  }

  #add(plan: ServicePlan): Child {
    const { spawn, clock, random } = this.#options;
    const child = new Child(plan, { spawn, clock, random, log: (line) => this.#log.add(line) });
    this.#children.set(plan.name, child);
    return child;
  }

  /** Tells the people at the terminal, and whoever reads the log. */
  say(level: number, message: string, fields: Record<string, unknown> = {}): void {
    this.#log.add({ time: new Date(this.#options.clock.now()).toISOString(), service: 'supervisor', level, message, fields });
  }
}

const forPeople = (host: string) => (['0.0.0.0', '::', '*'].includes(host) ? 'localhost' : host);
