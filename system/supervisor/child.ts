import { type LogLine, Problem } from '@ledge/contract';
import type { ManagedService } from '@ledge/host';
import { type Clock, EXIT_CONFIG, parseLogLine, type Random, type StopMessage, type SupervisorMessage } from '@ledge/kit';
import { Backoff } from './backoff.ts';
import type { ServicePlan } from './services.ts';

const READY_WITHIN_MS = 30_000;
/** Services feed every 5 s; three missed meals are a hang. */
const WATCHDOG_MS = 20_000;
const STOP_WITHIN_MS = 6000;
const FATAL = 60;

/** One running process of a service, as the supervisor sees it. */
export interface ServiceProcess {
  readonly pid: number | undefined;
  send(message: StopMessage): void;
  kill(): void;
  onMessage(listener: (message: SupervisorMessage) => void): void;
  onLine(listener: (line: string, stream: 'stdout' | 'stderr') => void): void;
  /** Resolves when it is gone: a sentence that says how, and the exit code when it left by itself. */
  readonly ended: Promise<{ how: string; code: number | null }>;
}
export type Spawn = (plan: ServicePlan) => ServiceProcess;

export interface ChildPorts {
  spawn: Spawn;
  clock: Clock;
  random: Random;
  log(line: LogLine): void;
}

/** One service kept alive: started, watched, restarted with backoff, stopped. */
export class Child {
  readonly #ports: ChildPorts;
  #plan: ServicePlan;
  #backoff: Backoff;
  #process: ServiceProcess | undefined;
  #state: ManagedService['state'] = 'stopped';
  #wanted = false;
  #restarts = 0;
  #rssBytes: number | undefined;
  #lastExit: string | undefined;
  #killReason: string | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelWatch: (() => void) | undefined;
  #readyWaiters: PromiseWithResolvers<void>[] = [];
  #lastWords: string | undefined;

  constructor(plan: ServicePlan, ports: ChildPorts) {
    this.#plan = plan;
    this.#ports = ports;
    this.#backoff = new Backoff(ports.random);
  }

  get plan(): ServicePlan {
    return this.#plan;
  }

  get view(): ManagedService {
    return {
      name: this.plan.name,
      state: this.#state,
      restarts: this.#restarts,
      memoryLimitBytes: this.plan.memoryLimitMb * 1024 * 1024,
      ...(this.#process?.pid === undefined ? {} : { pid: this.#process.pid }),
      ...(this.#rssBytes === undefined ? {} : { memoryBytes: this.#rssBytes }),
      ...(this.#lastExit === undefined ? {} : { lastExit: this.#lastExit }),
    };
  }

  start(): void {
    this.#wanted = true;
    if (this.#process) return;
    this.#cancelRetry?.();
    this.#launch();
  }

  /**
   * Resolves when the service said READY for the first time, or when it is told to stop.
   * @throws Problem `config-invalid` when it ended for a mistake in its configuration: only a person can mend that.
   */
  async ready(): Promise<void> {
    if (this.#state === 'running') return;
    const waiter = Promise.withResolvers<void>();
    this.#readyWaiters.push(waiter);
    await waiter.promise;
  }

  /** @param how.forGood it has no place on this box any more */
  async stop(how?: { forGood: true }): Promise<void> {
    this.#wanted = false;
    this.#cancelRetry?.();
    this.#releaseReadyWaiters();
    const child = this.#process;
    if (!child) {
      this.#state = 'stopped';
      return;
    }
    this.#state = 'stopping';
    child.send({ type: 'stop', ...how });
    const cancel = this.#ports.clock.after(STOP_WITHIN_MS, () => this.#kill(`did not stop within ${STOP_WITHIN_MS} ms`));
    await child.ended;
    cancel();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#restarts++;
    this.start();
  }

  /** Another program for the service: starts it unless somebody had stopped the old one. Deaths of the old one do not count. */
  async replace(plan: ServicePlan): Promise<void> {
    const wasWanted = this.#wanted;
    await this.stop();
    this.#plan = plan;
    this.#backoff = new Backoff(this.#ports.random);
    if (wasWanted) this.start();
  }

  #launch(): void {
    const { clock } = this.#ports;
    this.#state = 'starting';
    this.#rssBytes = undefined;
    this.#killReason = undefined;
    const child = this.#ports.spawn(this.plan);
    this.#process = child;
    this.#watch(READY_WITHIN_MS, 'was not ready in time');
    child.onMessage((message) => this.#hear(message));
    child.onLine((text, stream) => {
      const line = parseLogLine(this.plan.name, text, { level: stream === 'stderr' ? 50 : 30, timeMs: clock.now() });
      if (line.level >= FATAL) this.#lastWords = line.message;
      this.#ports.log(line);
    });
    void child.ended.then((end) => this.#ended(end));
  }

  #hear(message: SupervisorMessage): void {
    if (message.type === 'ready') {
      this.#state = 'running';
      this.#watch(WATCHDOG_MS, 'hung: its own check has not passed');
      this.#releaseReadyWaiters();
    } else if (message.type === 'watchdog') {
      this.#rssBytes = message.rssBytes;
      if (this.#state === 'running') this.#watch(WATCHDOG_MS, 'hung: its own check has not passed');
      const limitBytes = this.plan.memoryLimitMb * 1024 * 1024;
      if (message.rssBytes > limitBytes)
        this.#kill(`used ${Math.round(message.rssBytes / 1048576)} MB, over its limit of ${this.plan.memoryLimitMb} MB`);
    }
  }

  #watch(withinMs: number, reason: string): void {
    this.#cancelWatch?.();
    this.#cancelWatch = this.#ports.clock.after(withinMs, () => this.#kill(`${reason} for ${withinMs / 1000} s`));
  }

  #kill(reason: string): void {
    this.#killReason = reason;
    this.#say(50, `${this.plan.name} is killed: it ${reason}`);
    this.#process?.kill();
  }

  #ended({ how, code }: { how: string; code: number | null }): void {
    this.#cancelWatch?.();
    this.#process = undefined;
    this.#rssBytes = undefined;
    this.#lastExit = this.#killReason ?? how;
    if (!this.#wanted) {
      this.#state = 'stopped';
      return;
    }
    if (code === EXIT_CONFIG) {
      const mistake = new Problem('config-invalid', this.#lastWords ?? `${this.plan.name} found a mistake in its configuration`);
      for (const waiter of this.#readyWaiters.splice(0)) waiter.reject(mistake);
    }
    this.#state = 'waiting';
    this.#restarts++;
    const delayMs = this.#backoff.nextMs(this.#ports.clock.now());
    this.#say(40, `${this.plan.name} ended (${this.#lastExit}); it starts again in ${Math.round(delayMs)} ms`);
    this.#cancelRetry = this.#ports.clock.after(delayMs, () => this.#launch());
  }

  #releaseReadyWaiters(): void {
    for (const waiter of this.#readyWaiters.splice(0)) waiter.resolve();
  }

  #say(level: number, message: string): void {
    this.#ports.log({ time: new Date(this.#ports.clock.now()).toISOString(), service: 'supervisor', level, message, fields: {} });
  }
}
