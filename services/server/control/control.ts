import { type EventPayload, ID_PATTERN, Problem, shown } from '@ledge/contract';
import type { ServiceManager } from '@ledge/host';
import type { Clock, Logger } from '@ledge/kit';
import { OWN_NAME } from '../gateway/gateway.ts';

/** The answer must be on its way before the process that gives it ends. */
const OWN_RESTART_AFTER_MS = 300;

export type Verb = 'start' | 'stop' | 'restart';
const NEXT_STATE: Record<Verb, string> = { start: 'starting', stop: 'stopping', restart: 'starting' };

/** Starts and stops services through whoever supervises them here. */
export class ServiceControl {
  readonly #manager: ServiceManager | undefined;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onRestarted: (restarted: EventPayload<'service-restarted'>) => void;

  constructor(
    manager: ServiceManager | undefined,
    clock: Clock,
    log: Logger,
    onRestarted: (restarted: EventPayload<'service-restarted'>) => void,
  ) {
    this.#manager = manager;
    this.#clock = clock;
    this.#log = log;
    this.#onRestarted = onRestarted;
  }

  /** @throws Problem `not-found`, `not-supported` where nobody supervises, `not-allowed` for stopping the server itself */
  async command(verb: Verb, name: string, user: string): Promise<{ name: string; state: string }> {
    const manager = this.#manager;
    if (!manager) {
      throw new Problem(
        'not-supported',
        `Nobody here can ${verb} ${name}: each service was started by itself, as in a container. Its engine can (docker-compose ${verb} ${name}).`,
      );
    }
    if (!ID_PATTERN.test(name)) throw new Problem('not-found', `There is no service ${shown(name)}.`);
    if (name === OWN_NAME && verb === 'stop') {
      throw new Problem('not-allowed', 'The server cannot stop itself: nobody could start it again from here. Restart it instead.');
    }
    if (name === OWN_NAME) {
      if (!(await manager.list()).some((service) => service.name === name))
        throw new Problem('not-found', `${name} is not supervised here.`);
      this.#clock.after(OWN_RESTART_AFTER_MS, () => {
        manager[verb](name).catch((error: unknown) => this.#log.error({ target: name, err: error }, 'it could not be restarted'));
      });
    } else {
      await manager[verb](name);
    }
    this.#log.info({ target: name, verb, user }, 'service controlled');
    if (verb === 'restart') this.#onRestarted({ service: name, by: user });
    return { name, state: NEXT_STATE[verb] };
  }
}
