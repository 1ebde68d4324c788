/** Lets a few questions be on their way at a time; the others wait for their turn. */
export class Turns {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async take<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#most) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#busy += 1;
    try {
      return await ask();
    } finally {
      const next = this.#waiting.shift();
      // who is next takes this very place
      if (next) next();
      else this.#busy -= 1;
    }
  }
}
