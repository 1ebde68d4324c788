import type { Ask, Got, Operation } from '@ledge/contract';
import { ApiProblem, problemOf } from './problem.ts';

export interface AskPorts {
  fetch: typeof fetch;
  /** Wall clock of the browser, in ms. */
  now: () => number;
  /** A session that was there is over. */
  onSessionEnd: () => void;
}

/** A browser's clock may be off by this much before we believe the box's instead; HTTP tells time in whole seconds. */
const TRUSTED_CLOCK_MS = 3000;

/** The address of an operation, its parameters and query filled in. */
export function urlOf(service: string, path: string, params: object = {}, query: object = {}): string {
  const values = params as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const search = new URLSearchParams(Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])));
  return `/api/${service}${filled === '/' ? '' : filled}${search.size > 0 ? `?${search}` : ''}`;
}

/** Asks the box one thing at a time, as the contract says; only types come from there, so its schemas are not shipped. */
export function createAsk({ fetch, now, onSessionEnd }: AskPorts) {
  let boxAheadMs = 0;

  /** The answer of any request to the box, with its clock looked at. @throws ApiProblem */
  async function send(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...init }).catch((cause: unknown) => {
      if ((cause as Error | undefined)?.name === 'AbortError') throw cause;
      throw new ApiProblem('unreachable', 'The box does not answer. Is it on, and is this device in the same network?', { cause });
    });
    const boxMs = Date.parse(response.headers.get('date') ?? '');
    if (Number.isFinite(boxMs)) boxAheadMs = Math.abs(boxMs - now()) > TRUSTED_CLOCK_MS ? boxMs - now() : 0;
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (problem.code === 'not-signed-in') onSessionEnd();
    throw problem;
  }

  /** A function that asks one operation. */
  function route<O extends Operation>(service: string, method: O['method'], path: O['path']) {
    return async (ask: Partial<Ask<O>> & { signal?: AbortSignal } = {}): Promise<Got<O>> => {
      const headers = { Accept: 'application/json', ...(ask.body === undefined ? {} : { 'Content-Type': 'application/json' }) };
      const response = await send(urlOf(service, path, ask.params ?? {}, ask.query ?? {}), {
        method: method.toUpperCase(),
        headers,
        ...(ask.signal ? { signal: ask.signal } : {}),
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      });
      return (response.status === 204 ? undefined : await response.json()) as Got<O>;
    };
  }

  /** What time it is at the box, in ms: readings carry its time, and phones are often wrong. */
  return { route, send, boxNow: () => now() + boxAheadMs };
}
