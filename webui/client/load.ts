import { type Signal, signal } from '@preact/signals';

/** What was asked of the box: not there yet, there, or not to be had. Old content stays while it is asked again. */
export interface Loaded<T> {
  readonly content: Signal<T | undefined>;
  readonly error: Signal<unknown>;
  readonly busy: Signal<boolean>;
}

/** Asks for something, and again when told; of several questions only the last one's answer counts. */
export class Loader<T> implements Loaded<T> {
  readonly content: Signal<T | undefined> = signal(undefined);
  readonly error: Signal<unknown> = signal(undefined);
  readonly busy: Signal<boolean> = signal(false);
  readonly #ask: (signal: AbortSignal) => Promise<T>;
  #asking: AbortController | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask;
  }

  async load(): Promise<void> {
    const asking = this.#begin();
    try {
      const content = await this.#ask(asking.signal);
      if (asking.signal.aborted) return;
      this.content.value = content;
      this.error.value = undefined;
    } catch (error) {
      if (!asking.signal.aborted) this.error.value = error;
    } finally {
      this.#end(asking);
    }
  }

  /**
   * Does something whose answer is the content after it. When something else was asked meanwhile, nobody knows which answer is the
   * newer one, and the content is asked for once more. Rejects as `act` does.
   */
  async change(act: () => Promise<T>): Promise<void> {
    const acting = this.#begin();
    try {
      const content = await act();
      if (!acting.signal.aborted) this.content.value = content;
      else if (this.#asking) await this.load();
    } finally {
      this.#end(acting);
    }
  }

  stop(): void {
    this.#asking?.abort();
    this.#asking = undefined;
    this.busy.value = false;
  }

  #begin(): AbortController {
    this.stop();
    const asking = new AbortController();
    this.#asking = asking;
    this.busy.value = true;
    return asking;
  }

  #end(asking: AbortController): void {
    if (this.#asking === asking) this.busy.value = false;
  }
}
