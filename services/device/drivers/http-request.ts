import { Problem } from '@ledge/contract';
import type { DriverEnvironment } from '@ledge/sdk';

export const MAX_ANSWER_BYTES = 1024 * 1024;
export const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpRequest {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH';
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
}

/** An address as it may be shown: its query can hold a secret. */
export function shownUrl(address: string): string {
  const { origin, pathname, search } = new URL(address);
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}

const failed = (detail: string, cause?: unknown) => new Problem('sensor-failed', detail, { cause });

async function readLimited(response: Response, shown: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    // leaving the loop cancels the rest of the body
    if (bytes > MAX_ANSWER_BYTES) throw failed(`${shown} answered more than ${MAX_ANSWER_BYTES} bytes; a smaller answer is wanted`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Where a redirect leads. What was meant for the first server (headers, a body) is not carried to another. */
function redirected(response: Response, from: URL, shown: string): URL {
  const location = response.headers.get('location') ?? '';
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (!to || !['http:', 'https:'].includes(to.protocol))
    throw failed(`${shown} redirects to ${location || 'nowhere'}; an http address is wanted`);
  return to;
}

async function follow(address: string, how: HttpRequest, fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<string> {
  const start = new URL(address);
  const shown = shownUrl(address);
  let url = start;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const headers = url.origin === start.origin ? how.headers : {};
    const init: RequestInit = { method: how.method, headers, redirect: 'manual', signal };
    if (how.body !== undefined) init.body = how.body;
    const response = await fetch(url, init);
    if (!REDIRECTS.has(response.status)) {
      const text = await readLimited(response, shown);
      if (!response.ok) throw failed(`${shown} answered ${response.status} ${response.statusText}`.trimEnd());
      return text;
    }
    await response.body?.cancel();
    if (how.method !== 'GET') throw failed(`${shown} redirects a ${how.method}; the final address is wanted in the thing`);
    url = redirected(response, url, shown);
  }
  throw failed(`${shown} redirects more than ${MAX_REDIRECTS} times`);
}

const NETWORK_REASONS: Record<string, string> = {
  ECONNREFUSED: 'refuses the connection',
  ECONNRESET: 'broke the connection',
  UND_ERR_SOCKET: 'broke the connection',
  ENOTFOUND: 'is not known by that name',
  EAI_AGAIN: 'cannot be looked up: the name server does not answer',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: there is no network',
  ETIMEDOUT: 'did not answer in time',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that it signed itself',
};

const causeOf = (error: unknown) => (error as Error).cause as NodeJS.ErrnoException | undefined;

/**
 * The text that an address answers. At most {@link MAX_ANSWER_BYTES} and {@link MAX_REDIRECTS}.
 * @throws Problem `sensor-failed` that says what went wrong with which address
 */
export async function request(
  address: string,
  how: HttpRequest,
  { fetch, clock }: Pick<DriverEnvironment, 'fetch' | 'clock'>,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const timedOut = new AbortController();
  const stopTimer = clock.after(how.timeoutMs, () => timedOut.abort());
  try {
    return await follow(address, how, fetch, AbortSignal.any([signal, timedOut.signal]));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof Problem) throw cause;
    const shown = shownUrl(address);
    if (timedOut.signal.aborted) throw failed(`${shown} did not answer within ${how.timeoutMs / 1000} s`, cause);
    const why = causeOf(cause);
    const code = why?.code ?? '';
    throw failed(`${shown} ${NETWORK_REASONS[code] ?? `cannot be asked (${code || (why ?? (cause as Error)).message})`}`, cause);
  } finally {
    stopTimer();
  }
}
