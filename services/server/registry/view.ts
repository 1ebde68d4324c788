import type { Health, ServiceRecord, ServiceView } from '@ledge/contract';
import type { ManagedService } from '@ledge/host';
import type { Wellness } from './health.ts';

export interface Known {
  name: string;
  record: ServiceRecord | undefined;
  wellness: Wellness | undefined;
  managed: ManagedService | undefined;
  controllable: boolean;
  busConnected: boolean;
}
type State = ServiceView['state'];

const STATE_OF_HEALTH: Record<Health['state'], State> = {
  starting: 'init',
  ready: 'ready',
  degraded: 'degraded',
  stopping: 'disconnected',
};

/** What is shown of a service, from all that is known of it. */
export function serviceView(known: Known): ServiceView {
  const { name, record, managed, controllable } = known;
  const { state, detail } = judge(known);
  return {
    ...record,
    name,
    state,
    ...(detail === undefined ? {} : { detail }),
    ...(managed?.pid === undefined ? {} : { pid: managed.pid }),
    ...(managed === undefined ? {} : { restarts: managed.restarts }),
    ...(managed?.memoryBytes === undefined ? {} : { memoryBytes: managed.memoryBytes }),
    ...(managed?.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: managed.memoryLimitBytes }),
    controllable,
  };
}

/** First whether it answers, as nothing tells more; where it does not, why. */
function judge({ name, record, wellness, managed, busConnected }: Known): { state: State; detail?: string | undefined } {
  if (wellness?.kind === 'answers') {
    if (wellness.state === 'ready' && name === 'broker' && !busConnected) {
      return { state: 'degraded', detail: 'it runs, but the server is not connected to it' };
    }
    if (wellness.state === 'ready' && record?.state === 'lost' && busConnected) {
      return { state: 'degraded', detail: 'it runs, but has lost its connection to the broker' };
    }
    return { state: STATE_OF_HEALTH[wellness.state], detail: wellness.detail };
  }
  if (managed?.state === 'stopped') return { state: 'stopped', detail: managed.lastExit };
  if (managed?.state === 'starting') return { state: 'init' };
  if (wellness === undefined) return { state: record?.state ?? 'init' };
  if (record?.state === 'disconnected') return { state: 'disconnected', detail: 'it was stopped' };
  return { state: 'lost', detail: managed?.lastExit ?? wellness.why };
}
