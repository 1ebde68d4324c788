import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A child that answers every order with one report. */
export class Worker<Order extends object, Report> implements AsyncDisposable {
  readonly #child: ChildProcess;

  readonly #ended: Promise<never>;

  constructor(file: string) {
    this.#child = fork(join(import.meta.dirname, file));
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with ${code}`);
    });
    this.#ended.catch(() => {});
  }

  async ask(order: Order): Promise<Report> {
    const answer = new Promise<Report>((resolve) => this.#child.once('message', (report) => resolve(report as Report)));
    this.#child.send(order);
    return Promise.race([answer, this.#ended]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
