import { existsSync, readFileSync } from 'node:fs';
import type { Environment } from '@ledge/kit';
import { systemdServiceManager } from './linux/systemd/service-manager.ts';
import { machineBus } from './linux/systemd/system-bus.ts';
import type { ServiceManager } from './service-manager.ts';
import { supervisorServiceManager } from './service-manager-supervisor.ts';

export const SERVER_UNIT = 'ledge-server.service';

/**
 * Who starts and stops the services of this box: systemd where the server is one of its units, our supervisor where it started the server;
 * undefined where the server was started by itself, as in a container.
 * @param supervisorSocket where the supervisor listens, if it is the one
 * @param isChild does a parent listen to this process (`process.send`)? Only our supervisor does
 */
export const chooseServiceManager = (
  environment: Environment,
  supervisorSocket: string,
  isChild = process.send !== undefined,
): ServiceManager | undefined => {
  if (isUnitOfSystemd(environment, SERVER_UNIT)) return systemdServiceManager({ bus: machineBus(environment) });
  return isChild ? supervisorServiceManager(supervisorSocket) : undefined;
};

/**
 * Does systemd run this process as that unit? A terminal, or a supervisor that somebody made a unit of his own, is none:
 * sd_booted(3), systemd.exec(5) `INVOCATION_ID`, cgroups(7) `/proc/[pid]/cgroup`.
 * @param root of the file system; a test gives its own
 */
export function isUnitOfSystemd(environment: Environment, unit: string, root = ''): boolean {
  if (!environment.INVOCATION_ID || !existsSync(`${root}/run/systemd/system`)) return false;
  try {
    const groups = readFileSync(`${root}/proc/self/cgroup`, 'utf8').split('\n');
    return groups.some((line) => line.split(':').slice(2).join(':').split('/').includes(unit));
  } catch {
    return false;
  }
}
