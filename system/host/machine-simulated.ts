import { type MachineAct, Problem } from '@ledge/contract';
import { ACT_WORDS, type Machine, type MachineFacts } from './machine.ts';

const MIB = 2 ** 20;
const SIMULATED_FACTS: MachineFacts = {
  machine: 'rpi',
  version: '0.1.0',
  slot: 'A',
  slots: [
    { name: 'A', running: true, good: true, version: '0.1.0' },
    { name: 'B', running: false, good: false },
  ],
  reason: 'normal',
  data: 'ok',
  uptimeS: 60,
  bootId: 'b-1',
  timeZone: 'Etc/UTC',
  model: 'Raspberry Pi 4 Model B Rev 1.5',
  host: 'ledge-a1b2',
  system: 'Debian GNU/Linux 13 (trixie), Linux 6.12.48',
  memory: { totalBytes: 1024 * MIB, availableBytes: 700 * MIB },
  load: 0.12,
  temperatureC: 48.3,
  throttled: { now: { underVoltage: false } },
  disk: { totalBytes: 28_000 * MIB, freeBytes: 27_000 * MIB },
  card: { name: 'SC32G', writtenBytesSinceStart: 12 * MIB },
  clock: { synchronized: true },
  watchdog: { hardware: 'Broadcom BCM2835 Watchdog timer', timeoutS: 15 },
};

/** A machine in memory that keeps a list of what it was made to do. For tests. */
export class SimulatedMachine implements Machine {
  readonly acts: readonly MachineAct[] = ['reboot', 'power-off', 'factory-reset'];
  readonly done: MachineAct[] = [];
  /** The zone that it was set to. */
  timeZone: string | undefined;
  /** Why it refuses everything, if it does. */
  refuses: 'not-allowed' | 'not-supported' | 'service-away' | undefined;
  readonly #facts: MachineFacts;

  constructor(facts: MachineFacts = SIMULATED_FACTS) {
    this.#facts = facts;
  }

  async facts(): Promise<MachineFacts> {
    return { ...this.#facts, ...(this.timeZone ? { timeZone: this.timeZone } : {}) };
  }

  async allows(act: MachineAct): Promise<void> {
    if (this.refuses) throw new Problem(this.refuses, `This machine does not ${ACT_WORDS[act]}.`);
  }

  async perform(act: MachineAct): Promise<void> {
    await this.allows(act);
    this.done.push(act);
  }

  async setTimeZone(zone: string): Promise<void> {
    if (this.refuses) throw new Problem(this.refuses, 'This machine does not change its time zone.');
    this.timeZone = zone;
  }
}
