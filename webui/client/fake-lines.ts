/** One connection of a stream to a box that a test plays. */
export interface Line {
  lastId: string | null;
  send: (text: string) => Promise<void>;
  end: () => Promise<void>;
}

/** An event as its bytes are (HTML Living Standard, 9.2.6). */
export const frame = (event: string, data: unknown, id?: string) =>
  `${id ? `id: ${id}\n` : ''}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Streams hand chunks over in later turns of the event loop. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A `fetch` that opens a line for each call, or is refused with a status, or cannot reach the box. */
export function fakeLines() {
  const lines: Line[] = [];
  let refusal: number | 'unreachable' | undefined;
  const fakeFetch = async (_: unknown, options: RequestInit = {}) => {
    if (refusal === 'unreachable') throw new TypeError('network');
    if (refusal !== undefined) return new Response('{}', { status: refusal });
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        controller = c;
      },
    });
    options.signal?.addEventListener('abort', () => controller?.error(new Error('aborted')));
    lines.push({
      lastId: new Headers(options.headers).get('last-event-id'),
      send: async (text) => {
        controller?.enqueue(new TextEncoder().encode(text));
        await turn();
      },
      end: async () => {
        controller?.close();
        await turn();
      },
    });
    return new Response(body, { status: 200 });
  };
  return {
    lines,
    fetch: fakeFetch as typeof fetch,
    refuse: (how: typeof refusal) => {
      refusal = how;
    },
  };
}
