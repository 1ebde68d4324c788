import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface QmpEvent {
  event: string;
  data?: Record<string, unknown>;
}

interface Reply extends Partial<QmpEvent> {
  id?: number;
  return?: unknown;
  error?: { class: string; desc: string };
}

/** QEMU's control socket: commands, and events such as `RESET`, `SHUTDOWN`, `WATCHDOG`. */
export class Qmp {
  readonly events: QmpEvent[] = [];
  readonly #stream: Duplex;
  readonly #onEvent: (event: QmpEvent) => unknown;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #watchers = new Set<() => void>();
  #id = 0;
  #closed = false;

  constructor(stream: Duplex, onEvent: (event: QmpEvent) => unknown = () => {}) {
    this.#stream = stream;
    this.#onEvent = onEvent;
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (bytes: Buffer) => {
      const lines = (rest + decoder.write(bytes)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.#read(JSON.parse(line) as Reply);
    });
    stream.on('error', () => {});
    stream.once('close', () => {
      this.#closed = true;
      for (const { reject } of this.#waiting.values()) reject(new Error('QEMU has ended'));
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  #read(reply: Reply): void {
    if (reply.event !== undefined) {
      const event = { event: reply.event, ...(reply.data ? { data: reply.data } : {}) };
      this.events.push(event);
      this.#onEvent(event);
      for (const watcher of [...this.#watchers]) watcher();
    } else if (reply.id !== undefined) {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error) waiting?.reject(new Error(`QEMU: ${reply.error.desc}`));
      else waiting?.resolve(reply.return);
    }
  }

  /** @throws Error with QEMU's words, or when QEMU ends first */
  async execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#closed) throw new Error('QEMU has ended');
    const id = ++this.#id;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    return await waiting.promise;
  }

  /** The first event of that name from number `from` on. */
  async wait(name: string, withinMs: number, from = 0): Promise<QmpEvent> {
    return await new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        settle();
      };
      const watcher = () => {
        const found = this.events.slice(from).find(({ event }) => event === name);
        if (found) end(() => resolve(found));
        else if (this.#closed) end(() => reject(new Error(`QEMU ended before the event ${name}`)));
      };
      const timer = setTimeout(() => end(() => reject(new Error(`no event ${name} within ${withinMs / 1000} s`))), withinMs);
      this.#watchers.add(watcher);
      watcher();
    });
  }

  close(): void {
    this.#stream.destroy();
  }
}
