import type { ChildProcessPort, Processes } from '../driver.ts';

/** A child process that a test plays: it says lines and ends when it is told to. */
export class FakeChild implements ChildProcessPort {
  /** The program that was started. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** What was written to its stdin. */
  readonly written: string[] = [];
  /** As of {@link ChildProcessPort}. */
  readonly ended: ChildProcessPort['ended'];
  /** It has not ended. */
  running = true;
  readonly #listeners: ((line: string) => void)[] = [];
  readonly #end: PromiseWithResolvers<Awaited<ChildProcessPort['ended']>>;

  /** Made by {@link fakeProcesses}. */
  constructor(command: string, args: readonly string[]) {
    this.command = command;
    this.args = args;
    this.#end = Promise.withResolvers();
    this.ended = this.#end.promise;
  }

  /** As of {@link ChildProcessPort}. */
  onLine(listener: (line: string) => void): void {
    this.#listeners.push(listener);
  }
  /** Kept in `written`. */
  write(text: string): void {
    this.written.push(text);
  }
  /** It ends at once. */
  kill(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): void {
    this.#finish({ code: null, signal, stderr: '' });
  }

  /** Prints one line. */
  say(line: string): void {
    if (this.running) for (const listener of this.#listeners) listener(line);
  }
  /** Ends by itself. */
  exit(code: number, stderr = ''): void {
    this.#finish({ code, signal: null, stderr });
  }
  /** It was never there: what spawn says of a missing program. */
  missing(): void {
    const error = Object.assign(new Error(`spawn ${this.command} ENOENT`), { code: 'ENOENT' });
    this.#finish({ code: null, signal: null, stderr: '', error });
  }

  #finish(end: Awaited<ChildProcessPort['ended']>): void {
    this.running = false;
    this.#end.resolve(end);
  }
}

/** Processes that a test plays; see {@link fakeProcesses}. */
export interface FakeProcesses extends Processes {
  /** Every child that was started, oldest first. */
  readonly children: FakeChild[];
  /** Those of one program that have not ended. */
  running(command: string): FakeChild[];
}

/** Programs by name; each plays its child right after the start. A name that is not listed is a program that is not installed. */
export function fakeProcesses(programs: Record<string, (child: FakeChild) => void> = {}): FakeProcesses {
  const children: FakeChild[] = [];
  return {
    children,
    running: (command) => children.filter((child) => child.running && child.command === command),
    spawn(command, args) {
      const child = new FakeChild(command, args);
      children.push(child);
      const program = programs[command];
      queueMicrotask(() => {
        if (program) program(child);
        else child.missing();
      });
      return child;
    },
  };
}
