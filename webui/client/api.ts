import type { Ask, deviceApi, Got, Operation, serverApi, sseApi } from '@ledge/contract';
import { ApiProblem, problemOf } from './problem.ts';

type Server = typeof serverApi;
type Device = typeof deviceApi;
type Sse = typeof sseApi;

export interface ApiPorts {
  fetch: typeof fetch;
  /** Wall clock of the browser, in ms. */
  now: () => number;
  /** A session that was there is over. */
  onSessionEnd: () => void;
}

/** A browser's clock may be off by this much before we believe the box's instead; HTTP tells time in whole seconds. */
const TRUSTED_CLOCK_MS = 3000;

function urlOf(service: string, path: string, params: object, query: object): string {
  const values = params as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  return `/api/${service}${filled}${search.size > 0 ? `?${search}` : ''}`;
}

/** The box's HTTP API, typed by the contract. Only types come from there, so its schemas are not shipped. */
export function createApi({ fetch, now, onSessionEnd }: ApiPorts) {
  let boxAheadMs = 0;

  function route<O extends Operation>(service: string, method: O['method'], path: O['path']) {
    return async (ask: Partial<Ask<O>> = {}): Promise<Got<O>> => {
      const headers = { Accept: 'application/json', ...(ask.body === undefined ? {} : { 'Content-Type': 'application/json' }) };
      const response = await fetch(urlOf(service, path, ask.params ?? {}, ask.query ?? {}), {
        method: method.toUpperCase(),
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      }).catch((cause: unknown) => {
        throw new ApiProblem('unreachable', 'The box does not answer. Is it on, and is this device in the same network?', { cause });
      });
      const boxMs = Date.parse(response.headers.get('date') ?? '');
      if (Number.isFinite(boxMs)) boxAheadMs = Math.abs(boxMs - now()) > TRUSTED_CLOCK_MS ? boxMs - now() : 0;
      if (!response.ok) {
        const problem = await problemOf(response);
        if (problem.code === 'not-signed-in') onSessionEnd();
        throw problem;
      }
      return (response.status === 204 ? undefined : await response.json()) as Got<O>;
    };
  }

  return {
    /** What time it is at the box, in ms: readings carry its time, and phones are often wrong. */
    boxNow: () => now() + boxAheadMs,
    health: route<Server['health']>('server', 'get', '/health'),
    setup: route<Server['setup']>('server', 'post', '/setup'),
    login: route<Server['login']>('server', 'post', '/login'),
    logout: route<Server['logout']>('server', 'post', '/logout'),
    session: route<Server['session']>('server', 'get', '/session'),
    services: route<Server['services']>('server', 'get', '/services'),
    restart: route<Server['restart']>('server', 'post', '/services/{name}/restart'),
    things: route<Device['things']>('device', 'get', '/things'),
    command: route<Device['command']>('device', 'put', '/things/{thing}/{node}/{property}'),
    publish: route<Sse['publish']>('sse', 'post', '/publish'),
  };
}
export type Api = ReturnType<typeof createApi>;
