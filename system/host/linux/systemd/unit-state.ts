import { constants } from 'node:os';
import { EXIT_CONFIG } from '@ledge/kit/exit.ts';
import type { ManagedService } from '../../service-manager.ts';

/** Of org.freedesktop.systemd1.Unit and .Service, what is shown or needed; the rest of their three hundred is not kept. */
export const WANTED = {
  Unit: ['ActiveState', 'SubState'],
  Service: ['Type', 'MainPID', 'NRestarts', 'Result', 'ExecMainCode', 'ExecMainStatus', 'MemoryMax', 'ControlGroup'],
} as const;

export type UnitProperties = Readonly<Record<string, unknown>>;

/** waitid(2): how the main process ended. */
const CLD_EXITED = 1;
const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** systemd.unit(5) and systemd.service(5): `ActiveState`, and what `SubState` tells more. */
export function stateOf({ ActiveState, SubState }: UnitProperties): ManagedService['state'] {
  if (ActiveState === 'active' || ActiveState === 'reloading' || ActiveState === 'refreshing') return 'running';
  if (ActiveState === 'activating') return String(SubState).startsWith('auto-restart') ? 'waiting' : 'starting';
  return ActiveState === 'deactivating' ? 'stopping' : 'stopped';
}

/** How the main process ended, in words, from `Result` and `ExecMain…` (org.freedesktop.systemd1(5)); undefined while nothing ended. */
export function exitWords(properties: UnitProperties): string | undefined {
  switch (properties.Result) {
    case 'watchdog':
      return 'it hung: its own check has not passed in time';
    case 'oom-kill':
      return 'it used more memory than its limit';
    case 'timeout':
      return 'it was not ready, or did not stop, in time';
    case 'start-limit-hit':
      return 'it ended too often in a short time, and is not started again by itself';
    case 'resources':
      return 'the system lacked what it needs to be started';
    case 'protocol':
      return 'it ended without saying that it is ready';
    default:
      return processWords(Number(properties.ExecMainCode), Number(properties.ExecMainStatus)) ?? otherWords(properties.Result);
  }
}

/** A result without an end of the main process: something before it failed. */
const otherWords = (result: unknown) =>
  result === undefined || result === 'success' ? undefined : `it could not be started (${String(result)})`;

function processWords(code: number, status: number): string | undefined {
  if (!(code > 0)) return undefined;
  if (code !== CLD_EXITED) return `killed by ${SIGNAL_NAMES.get(status) ?? `signal ${status}`}`;
  return status === EXIT_CONFIG ? 'exit code 78: there is a mistake in its settings; its log says where' : `exit code ${status}`;
}

/** What is shown of a unit. `lastExit` and `memoryBytes` are known elsewhere. */
export function managedService(
  name: string,
  properties: UnitProperties,
  { lastExit, memoryBytes }: { lastExit?: string | undefined; memoryBytes?: number | undefined },
): ManagedService {
  const pid = Number(properties.MainPID);
  const limit = Number(properties.MemoryMax);
  return {
    name,
    state: stateOf(properties),
    restarts: Number(properties.NRestarts ?? 0),
    ...(pid > 0 ? { pid } : {}),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(Number.isFinite(limit) ? { memoryLimitBytes: limit } : {}),
    ...(lastExit === undefined ? {} : { lastExit }),
  };
}
