import type { MachineAct, MachineView } from '@ledge/contract';

/** What a machine tells of itself. What it does not know is absent; what belongs to the server is added there. */
export type MachineFacts = { machine: string } & Partial<Omit<MachineView, 'machine' | 'name' | 'time' | 'can'>>;

/** The machine as a whole, as far as it lets itself be asked. */
export interface Machine {
  /** What it can do at all. */
  readonly acts: readonly MachineAct[];
  /** Asked for whenever a page is open: takes some milliseconds. */
  facts(): Promise<MachineFacts>;
  /**
   * Would it do this if we asked now? Changes nothing.
   * @throws Problem `not-supported` when it cannot, `not-allowed` when this process may not, `service-away` when nobody answers
   */
  allows(act: MachineAct): Promise<void>;
  /** Asks for it. Resolves when it was taken; it then happens within moments. @throws Problem as {@link Machine.allows} */
  perform(act: MachineAct): Promise<void>;
  /** @throws Problem `invalid-value` for a zone that it does not know, else as {@link Machine.allows} */
  setTimeZone(zone: string): Promise<void>;
  /** Gives back what it holds open, if anything. */
  close?(): void;
}

export const ACT_WORDS: Record<MachineAct, string> = {
  reboot: 'restart',
  'power-off': 'switch itself off',
  'factory-reset': 'reset itself to factory state',
};
