import type { Sink } from './reader.ts';

export interface Event {
  event: string;
  id: string | undefined;
  data: Record<string, unknown>;
}

/** Reads a stream as the standard says (WHATWG "server-sent events", 9.2.6), strictly enough to find a broken frame. */
export function readEvents(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':') && !block.startsWith('retry:'))
    .map((block) => {
      const fields = block.split('\n').map((line): [string, string] => {
        const at = line.indexOf(': ');
        if (at < 0) throw new Error(`not a field: ${JSON.stringify(line)}`);
        return [line.slice(0, at), line.slice(at + 2)];
      });
      const of = Object.fromEntries(fields) as Record<string, string | undefined>;
      return { event: of.event ?? 'message', id: of.id, data: JSON.parse(of.data ?? '') as Record<string, unknown> };
    });
}

/** A socket in memory that a test can freeze, fill and thaw. */
export class TestSink implements Sink {
  readonly chunks: Buffer[] = [];
  state: 'open' | 'ended' | 'destroyed' = 'open';
  frozen = false;
  #drain: (() => void) | undefined;

  write(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return !this.frozen;
  }
  onDrain(listener: () => void): void {
    this.#drain = listener;
  }
  end(): void {
    this.state = 'ended';
  }
  destroy(): void {
    this.state = 'destroyed';
  }
  thaw(): void {
    this.frozen = false;
    this.#drain?.();
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
  get events(): Event[] {
    return readEvents(this.text);
  }
  /** `topic=payload` of each message, `(event)` of everything else. */
  get story(): string[] {
    return this.events.map(({ event, data }) =>
      event === 'message' ? `${data.topic}=${data.payload}${data.retained ? ' retained' : ''}` : `(${event})`,
    );
  }
  get lastId(): string | undefined {
    return this.events.findLast(({ id }) => id !== undefined)?.id;
  }
}
