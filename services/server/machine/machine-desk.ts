import { type EventPayload, type MachineAct, type MachineView, Problem } from '@ledge/contract';
import type { Machine } from '@ledge/host';
import type { Clock, Logger } from '@ledge/kit';

/** The answer, and the audit entry, which is written once a second, must be out before the machine goes. */
const ACT_AFTER_MS = 1_500;

export interface MachinePorts {
  machine: Machine;
  clock: Clock;
  log: Logger;
  /** The box's id, which a factory reset is confirmed with, and what people call it. */
  edge: { readonly id: string; readonly name: string };
  /** Of this program, where no image says it. */
  version: string;
  startedMs: number;
  onStopping(stopping: EventPayload<'machine-stopping'>): void;
}

/** The machine as a whole: what it is, and what people ask of it. */
export class MachineDesk {
  readonly #ports: MachinePorts;
  #asked: MachineAct | undefined;

  constructor(ports: MachinePorts) {
    this.#ports = ports;
  }

  async view(): Promise<MachineView> {
    const { machine, version, clock, startedMs, edge } = this.#ports;
    const { uptimeS = (clock.now() - startedMs) / 1000, ...facts } = await machine.facts();
    return {
      version,
      name: edge.name,
      time: new Date(clock.now()).toISOString(),
      ...facts,
      uptimeS: Math.round(uptimeS),
      can: [...machine.acts],
    };
  }

  /**
   * Resolves when it is sure to be asked for; it happens right after.
   * @param confirm the box's id, for a factory reset
   * @throws Problem `invalid-value` for the id of another box, `not-supported`, `not-allowed`, `service-away`
   */
  async ask(act: MachineAct, user: string, confirm?: string): Promise<{ act: MachineAct }> {
    const { machine, clock, log, edge, onStopping } = this.#ports;
    if (act === 'factory-reset' && confirm !== edge.id) {
      const message = `confirm is ${JSON.stringify(confirm)}; this box's id, ${edge.id}, is wanted`;
      throw new Problem('invalid-value', message, { errors: [{ field: 'confirm', message }] });
    }
    await machine.allows(act);
    if (this.#asked) return { act: this.#asked };
    this.#asked = act;
    log.warn({ act, user }, 'the machine was asked to stop');
    onStopping({ act, user });
    clock.after(ACT_AFTER_MS, () => {
      machine
        .perform(act)
        .catch((error: unknown) => log.error({ act, err: error }, 'the machine did not do it'))
        .finally(() => {
          this.#asked = undefined;
        });
    });
    return { act };
  }
}
