import { serverApi } from '@ledge/contract';
import type { Api, Clock } from '@ledge/kit';
import type { Auth } from './auth/auth.ts';
import type { ServiceControl, Verb } from './control/control.ts';
import { serveHistory } from './history/routes.ts';
import type { KioskDesk } from './kiosk/kiosk-desk.ts';
import type { LogStreams } from './logs/stream.ts';
import type { Recorder } from './recorder/index.ts';
import type { ServiceRegistry } from './registry/registry.ts';

export interface RoutePorts {
  auth: Auth;
  registry: ServiceRegistry;
  control: ServiceControl;
  logs: LogStreams;
  recorder: Recorder;
  kiosk: KioskDesk;
  clock: Clock;
  /** Its id, and what people call it. */
  edge: { readonly id: string; readonly name: string };
  version: string;
  startedMs: number;
}

/** Services, logs and history: HTTP only. */
export function serveBox(api: Api, { auth, registry, control, logs, recorder, kiosk, clock, edge, version, startedMs }: RoutePorts): void {
  // public and polled often: from memory only
  api.handle(serverApi.health, () => {
    const views = registry.views();
    const unwell = views.filter(({ state }) => state === 'lost' || state === 'degraded').map(({ name, state }) => `${name} is ${state}`);
    const bad = [...unwell, ...(kiosk.fault ? [kiosk.fault] : [])];
    return {
      state: bad.length > 0 ? ('degraded' as const) : ('ready' as const),
      ...(bad.length > 0 ? { detail: bad.join(', ') } : {}),
      version,
      uptimeS: Math.round((clock.now() - startedMs) / 1000),
      edge: edge.id,
      name: edge.name,
      setupNeeded: auth.users.setupNeeded,
      services: Object.fromEntries(views.map(({ name, state }) => [name, state])),
    };
  });

  api.handle(serverApi.services, () => registry.views());

  const verbs = { start: serverApi.start, stop: serverApi.stop, restart: serverApi.restart } as const;
  for (const verb of Object.keys(verbs) as Verb[]) {
    api.handle(verbs[verb], ({ params, caller }) => control.command(verb, params.name, caller.user));
  }

  api.handle(serverApi.forget, async ({ params }) => {
    await registry.forget(params.name);
    return { name: params.name };
  });

  api.handle(serverApi.logs, ({ query, response, signal }) => logs.serve(query, response, signal));

  serveHistory(api, recorder, clock);
}
