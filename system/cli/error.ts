/** How the command ends, for scripts. `help` tells people the same. */
export const EXIT = {
  done: 0,
  /** Something is wrong with the box, or what was asked did not work. */
  failed: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** This machine cannot do that. */
  unsupported: 3,
  /** Whoever calls may not. */
  denied: 4,
  /** Nobody answers. */
  away: 5,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence for people and a code for scripts. */
export class CliError extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string) {
    super(message);
    this.code = code;
  }
}
