import type { DoctorReport } from '@ledge/contract';
import type { Clock } from '@ledge/kit';

/** A page that is opened twice, or by two people, need not make the board look twice. */
const FRESH_MS = 5_000;
const EXAMINE_WITHIN_MS = 20_000;
/** What has not answered by then is skipped; a little before programs are ended. */
const CHECK_WITHIN_MS = 18_000;

export type Examine = (signal: AbortSignal) => Promise<DoctorReport>;

/** Lets the doctor look when somebody asks: one look at a time, which all who ask meanwhile share, and which is good for some seconds. */
export class DoctorDesk {
  readonly #clock: Clock;
  readonly #examine: Examine;
  #looking: Promise<DoctorReport> | undefined;
  #last: { report: DoctorReport; atMs: number } | undefined;

  constructor(clock: Clock, examine: Examine) {
    this.#clock = clock;
    this.#examine = examine;
  }

  async report(): Promise<DoctorReport> {
    if (this.#last && this.#clock.monotonic() - this.#last.atMs < FRESH_MS) return this.#last.report;
    this.#looking ??= this.#look();
    return await this.#looking;
  }

  async #look(): Promise<DoctorReport> {
    const out = new AbortController();
    // programs that are still running then are ended, and what they were asked for is skipped
    const cancel = this.#clock.after(EXAMINE_WITHIN_MS, () => out.abort());
    try {
      const report = await this.#examine(out.signal);
      this.#last = { report, atMs: this.#clock.monotonic() };
      return report;
    } finally {
      cancel();
      this.#looking = undefined;
    }
  }
}

/** The doctor of this machine; loaded with the first question. */
export const examineHere =
  (dataRoot: string, version: string): Examine =>
  async (signal) => {
    const { examine, realPorts } = await import('@ledge/doctor');
    return await examine(realPorts({ dataRoot, version, signal }), { withinMs: CHECK_WITHIN_MS });
  };
