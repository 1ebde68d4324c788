import { type MachineAct, Problem } from '@ledge/contract';
import { ACT_WORDS, type Machine, type MachineFacts } from './machine.ts';

/** A machine in memory that keeps a list of what it was made to do. For tests. */
export class SimulatedMachine implements Machine {
  readonly acts: readonly MachineAct[] = ['reboot', 'power-off', 'factory-reset'];
  readonly done: MachineAct[] = [];
  /** Why it refuses everything, if it does. */
  refuses: 'not-allowed' | 'not-supported' | 'service-away' | undefined;
  readonly #facts: MachineFacts;

  constructor(
    facts: MachineFacts = { machine: 'rpi', version: '0.1.0', slot: 'A', reason: 'normal', data: 'ok', uptimeS: 60, bootId: 'b-1' },
  ) {
    this.#facts = facts;
  }

  async facts(): Promise<MachineFacts> {
    return this.#facts;
  }

  async allows(act: MachineAct): Promise<void> {
    if (this.refuses) throw new Problem(this.refuses, `This machine does not ${ACT_WORDS[act]}.`);
  }

  async perform(act: MachineAct): Promise<void> {
    await this.allows(act);
    this.done.push(act);
  }
}
