import { chooseOutput, type Output } from './outputs.ts';

/** Which output is meant, and which one mplayer really opened. */
export class SoundOutput {
  readonly #machine: { root: string; platform: NodeJS.Platform; pulse: boolean };
  readonly #wanted: () => string;
  #chosen: Output = { arguments: [], name: 'auto', fault: null };
  #opened: string | undefined;

  constructor(wanted: () => string, machine: { root: string; platform: NodeJS.Platform; pulse: boolean }) {
    this.#wanted = wanted;
    this.#machine = machine;
  }

  /** Looks again what is there; a card may have been plugged in. Returns mplayer's arguments. */
  async choose(): Promise<readonly string[]> {
    this.#chosen = await chooseOutput(this.#wanted(), this.#machine);
    this.#opened = undefined;
    return this.#chosen.arguments;
  }

  /** mplayer says which driver it opened. */
  opened(driver: string): void {
    this.#opened = driver;
  }

  get #fellBack(): boolean {
    return this.#opened === 'null' && this.#chosen.fault === null && this.#wanted() !== 'null';
  }

  get name(): string {
    return this.#fellBack ? `null: ${this.#chosen.name} does not open` : this.#chosen.name;
  }

  get fault(): string | null {
    if (this.#fellBack) return `The sound output ${this.#chosen.name} cannot be opened; tracks play without being heard.`;
    return this.#chosen.fault;
  }
}
