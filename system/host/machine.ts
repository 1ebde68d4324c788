import type { MachineAct } from '@ledge/contract';

/** What a machine tells of itself. Fields that it does not know are absent. */
export interface MachineFacts {
  /** Kind of machine: `rpi`, `docker`, `pc`. */
  machine: string;
  /** Of the image that runs. */
  version?: string;
  commit?: string;
  built?: string;
  slot?: string;
  reason?: string;
  data?: string;
  /** Since the machine started. */
  uptimeS?: number;
  /** Changes with each start. */
  bootId?: string;
}

/** The machine as a whole, as far as it lets itself be asked. */
export interface Machine {
  /** What it can do at all. */
  readonly acts: readonly MachineAct[];
  facts(): Promise<MachineFacts>;
  /**
   * Would it do this if we asked now? Changes nothing.
   * @throws Problem `not-supported` when it cannot, `not-allowed` when this process may not, `service-away` when nobody answers
   */
  allows(act: MachineAct): Promise<void>;
  /** Asks for it. Resolves when it was taken; it then happens within moments. @throws Problem as {@link Machine.allows} */
  perform(act: MachineAct): Promise<void>;
  /** Gives back what it holds open, if anything. */
  close?(): void;
}

export const ACT_WORDS: Record<MachineAct, string> = {
  reboot: 'restart',
  'power-off': 'switch itself off',
  'factory-reset': 'reset itself to factory state',
};
