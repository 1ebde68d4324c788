import type { Duplex } from 'node:stream';

/** What a command in the machine came to. */
export interface Result {
  code: number;
  out: string;
  err: string;
}

export interface ExecOptions {
  /** After this it is killed, with code 124. */
  seconds?: number;
  input?: string | Buffer;
}

interface Request extends PromiseWithResolvers<Result> {
  id: string;
  what: string;
}

const SECONDS = 60;

/** One of the root shells in the machine (see `root-shell-unit.ts`), on a virtio serial port; one command at a time. */
export class RootShell {
  /** The boot that it lives in; undefined until it has said hello. */
  boot: string | undefined;
  readonly #stream: Duplex;
  readonly #onHello: () => void;
  #buffer = Buffer.alloc(0);
  #id = 0;
  #request: Request | undefined;

  constructor(stream: Duplex, onHello: () => void) {
    this.#stream = stream;
    this.#onHello = onHello;
    stream.on('data', (bytes: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes]);
      while (this.#take());
    });
    stream.on('error', () => {});
    stream.once('close', () => this.#lost('the machine was switched off'));
    // somebody else may have heard the first one
    stream.write('hello\n');
  }

  /** The machine was reset: nobody answers before the next hello. */
  reset(): void {
    this.#lost('the machine was reset');
  }

  #lost(why: string): void {
    this.boot = undefined;
    this.#request?.reject(new Error(`${why} during: ${this.#request.what}`));
    this.#request = undefined;
  }

  /** Takes one message out of the buffer; false when there is no whole one. */
  #take(): boolean {
    const end = this.#buffer.indexOf('\n');
    if (end < 0) return false;
    const [first = '', second = '', out = '', err = ''] = this.#buffer.toString('latin1', 0, end).split(' ');
    let next = end + 1;
    if (first === 'hello') {
      if (this.boot !== undefined && this.boot !== second) this.#lost('the machine started again');
      this.boot = second;
      this.#onHello();
    } else if (first === this.#request?.id) {
      const [outEnd, errEnd] = [next + Number(out), next + Number(out) + Number(err)];
      if (this.#buffer.length < errEnd) return false;
      const { resolve } = this.#request;
      this.#request = undefined;
      resolve({
        code: Number(second),
        out: this.#buffer.toString('utf8', next, outEnd),
        err: this.#buffer.toString('utf8', outEnd, errEnd),
      });
      next = errEnd;
    } // else: the rest of an answer that nobody waits for any more
    this.#buffer = this.#buffer.subarray(next);
    return true;
  }

  async exec(script: string, { seconds = SECONDS, input = '' }: ExecOptions = {}): Promise<Result> {
    const request: Request = { id: `r${++this.#id}`, what: script.slice(0, 200), ...Promise.withResolvers<Result>() };
    this.#request = request;
    const [code, data] = [Buffer.from(script), Buffer.from(input)];
    this.#stream.write(Buffer.concat([Buffer.from(`${request.id} ${seconds} ${code.length} ${data.length}\n`), code, data]));
    const patience = setTimeout(() => this.#lost(`no answer within ${seconds + 30} s`), (seconds + 30) * 1000);
    return await request.promise.finally(() => clearTimeout(patience));
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** All root shells of a machine: a command takes the first that is free. */
export class RootShells {
  readonly #shells: RootShell[];
  readonly #waiting: (() => void)[] = [];
  readonly #taken = new Set<RootShell>();

  constructor(streams: readonly Duplex[]) {
    this.#shells = streams.map((stream) => new RootShell(stream, () => this.#tell()));
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  reset(): void {
    for (const shell of this.#shells) shell.reset();
  }

  /** Resolves when the boot in progress has brought a shell up. */
  async ready(withinMs: number): Promise<void> {
    await this.#use(withinMs, async () => {});
  }

  /** Runs a bash script as root; resolves whatever its exit code is. */
  async exec(script: string, options: ExecOptions = {}): Promise<Result> {
    return await this.#use(SECONDS * 1000, (shell) => shell.exec(script, options));
  }

  async #use<T>(withinMs: number, work: (shell: RootShell) => Promise<T>): Promise<T> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      const shell = this.#shells.find((each) => each.boot !== undefined && !this.#taken.has(each));
      if (shell) {
        this.#taken.add(shell);
        return await work(shell).finally(() => {
          this.#taken.delete(shell);
          this.#tell();
        });
      }
      const left = endMs - performance.now();
      if (left <= 0) throw new Error(`no root shell in the machine within ${withinMs / 1000} s`);
      const woken = Promise.withResolvers<void>();
      const timer = setTimeout(woken.resolve, left);
      this.#waiting.push(woken.resolve);
      await woken.promise;
      clearTimeout(timer);
    }
  }

  /** Closes the last shell so that somebody else can have it; answers which one that was. */
  giveUp(): number {
    this.#shells.pop()?.close();
    return this.#shells.length;
  }

  close(): void {
    for (const shell of this.#shells) shell.close();
  }
}
