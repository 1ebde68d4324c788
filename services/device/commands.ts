import { Problem, type PropertyAddress, parsePayload, shown, type Value } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import type { HomiePublisher } from './homie.ts';
import type { RunningThing } from './thing.ts';

/** Commands for one property that may wait for each other; more are refused. */
const MAX_QUEUED = 16;

/** Every command ends in exactly one of these. */
export type Outcome = 'acknowledged' | 'rejected' | 'timed-out';

export interface CommandsOptions {
  clock: Clock;
  log: Logger;
  homie: HomiePublisher;
  thing(id: string): RunningThing | undefined;
  timeoutMs: () => number;
  onOutcome: (outcome: Outcome) => void;
}

const pathOf = ({ thing, node, property }: PropertyAddress) => `${thing}/${node}/${property}`;

/** Takes commands, one after the other for each property, and sees each to its end. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #queues = new Map<string, { last: Promise<unknown>; length: number }>();

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /**
   * Sets a property.
   * @param payload as Homie writes values
   * @param by who asks, for the log
   * @returns the value that the thing has now
   * @throws Problem `not-found`, `not-settable`, `invalid-value`, `command-rejected`, `command-timed-out`
   */
  async run(address: PropertyAddress, payload: string, by: string): Promise<Value> {
    const { clock, log, onOutcome } = this.#options;
    const startedMs = clock.monotonic();
    const facts = { command: pathOf(address), payload: shown(payload), by };
    try {
      const value = await this.#inTurn(address, payload);
      onOutcome('acknowledged');
      log.info({ ...facts, outcome: 'acknowledged', value: shown(value), tookMs: Math.round(clock.monotonic() - startedMs) }, 'command');
      return value;
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem('command-rejected', (error as Error).message, { cause: error });
      const outcome = problem.code === 'command-timed-out' ? 'timed-out' : 'rejected';
      onOutcome(outcome);
      log.warn({ ...facts, outcome, code: problem.code, reason: problem.message }, 'command');
      throw problem;
    }
  }

  async #inTurn(address: PropertyAddress, payload: string): Promise<Value> {
    const value = this.#parse(address, payload);
    const path = pathOf(address);
    const queue = this.#queues.get(path) ?? { last: Promise.resolve(), length: 0 };
    if (queue.length >= MAX_QUEUED) throw new Problem('command-rejected', `${path}: ${MAX_QUEUED} commands wait already`);
    this.#queues.set(path, queue);
    queue.length++;
    const before = queue.last;
    const mine = before.catch(() => {}).then(() => this.#write(address, value, payload));
    queue.last = mine;
    try {
      return await mine;
    } finally {
      if (--queue.length === 0) this.#queues.delete(path);
    }
  }

  #find(address: PropertyAddress) {
    const thing = this.#options.thing(address.thing);
    const property = thing?.property(`${address.node}/${address.property}`);
    if (!thing || !property) throw new Problem('not-found', `There is no property ${pathOf(address)}`);
    return { thing, property };
  }

  #parse(address: PropertyAddress, payload: string): Value {
    const { property } = this.#find(address);
    const { settable, datatype } = property.config;
    if (!settable) throw new Problem('not-settable', `${pathOf(address)} is measured; it cannot be set`);
    const parsed = parsePayload(datatype, payload, property.config);
    if (parsed.ok) return parsed.value;
    const message = `value is ${shown(payload)}; ${parsed.wanted}`;
    throw new Problem('invalid-value', message, { errors: [{ field: 'value', message }] });
  }

  async #write(address: PropertyAddress, value: Value, payload: string): Promise<Value> {
    const { clock, homie, timeoutMs } = this.#options;
    const { thing, property } = this.#find(address);
    const limitMs = timeoutMs();
    homie.intend(address, property, payload);
    const limit = new AbortController();
    const late = new Promise<never>((_resolve, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason), { once: true });
    });
    const cancel = clock.after(limitMs, () =>
      limit.abort(new Problem('command-timed-out', `${pathOf(address)} did not answer within ${limitMs} ms`)),
    );
    try {
      return await Promise.race([thing.write(property.key, value, limit.signal), late]);
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : error;
    } finally {
      cancel();
      homie.settle(address, property, thing.value(property.key));
    }
  }
}
