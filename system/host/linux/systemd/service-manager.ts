import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogLine, Problem, shown } from '@ledge/contract';
import type { LogQuery, ServiceManager } from '../../service-manager.ts';
import { BusError } from './dbus-connection.ts';
import { readJournal, type StartJournal } from './journal.ts';
import type { SystemBus } from './system-bus.ts';
import { managedService } from './unit-state.ts';
import { MANAGER, UnitTable, unitOf } from './unit-table.ts';

type Verb = 'start' | 'stop' | 'restart';
const METHODS: Record<Verb, string> = { start: 'StartUnit', stop: 'StopUnit', restart: 'RestartUnit' };

const NOT_ALLOWED = ['org.freedesktop.DBus.Error.AccessDenied', 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'];
const NOT_FOUND = ['NoSuchUnit', 'LoadFailed', 'UnitMasked'].map((name) => `org.freedesktop.systemd1.${name}`);

export interface SystemdPorts {
  bus: SystemBus;
  /** Where cgroup2 is mounted. */
  cgroups?: string;
  startJournal?: StartJournal;
}

/**
 * systemd as the one who starts and stops services: units `ledge-<service>.service`, over D-Bus, with the journal as their log.
 * Whether it may is for polkit to say. The list is kept by signals: asked every two seconds, it reads one small file for each service.
 */
export function systemdServiceManager({ bus, cgroups = '/sys/fs/cgroup', startJournal }: SystemdPorts): ServiceManager {
  const table = new UnitTable(bus);

  async function units() {
    try {
      return await table.read();
    } catch (error) {
      throw asProblem(error, 'systemd cannot be asked for the services');
    }
  }

  async function control(name: string, verb: Verb): Promise<void> {
    const unit = (await units()).get(name);
    if (!unit) throw new Problem('not-found', `There is no service ${shown(name)} to ${verb}.`);
    try {
      if (verb !== 'stop' && unit.properties.Result === 'start-limit-hit') await forgetFailures(name);
      await bus.call({ ...MANAGER, member: METHODS[verb], signature: 'ss', body: [unitOf(name), 'replace'] });
    } catch (error) {
      throw asProblem(error, `systemd does not ${verb} ${name}`);
    }
  }

  /** A service that ended too often is not started again before somebody says that it may. */
  const forgetFailures = (name: string) =>
    bus.call({ ...MANAGER, member: 'ResetFailedUnit', signature: 's', body: [unitOf(name)] }).catch(() => {});

  return {
    async list() {
      return [...(await units()).values()].map(({ name, properties, lastExit }) =>
        managedService(name, properties, { lastExit, memoryBytes: memoryOf(cgroups, properties.ControlGroup) }),
      );
    },
    start: (name) => control(name, 'start'),
    stop: (name) => control(name, 'stop'),
    restart: (name) => control(name, 'restart'),
    async *logs({ service, last, signal }: LogQuery): AsyncGenerator<LogLine> {
      if (service === undefined) await table.read().catch(() => {}); // the journal can be read without systemd's word
      const names = service === undefined ? ['*', ...table.known] : [service];
      yield* readJournal({ units: names.map(unitOf), last, signal }, startJournal);
    },
    close: () => bus.close(),
  };
}

/** What the kernel counts for the limit; undefined for a service that does not run, or where memory is not counted. */
function memoryOf(cgroups: string, group: unknown): number | undefined {
  if (typeof group !== 'string' || group === '') return undefined;
  try {
    return Number(readFileSync(join(cgroups, group, 'memory.current'), 'utf8'));
  } catch {
    return undefined;
  }
}

function asProblem(cause: unknown, what: string): Problem {
  if (cause instanceof Problem) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = !(cause instanceof BusError)
    ? 'service-away'
    : NOT_ALLOWED.includes(cause.busName)
      ? 'not-allowed'
      : NOT_FOUND.includes(cause.busName)
        ? 'not-found'
        : 'service-away';
  return new Problem(code, `${what}: ${why}`, { cause });
}
