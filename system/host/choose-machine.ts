import { existsSync } from 'node:fs';
import { DataDir, type Environment, systemClock } from '@ledge/kit';
import { isUnitOfSystemd, SERVER_UNIT } from './choose-service-manager.ts';
import { RELEASE_FILE } from './linux/image-facts.ts';
import { imageMachine } from './linux/systemd/machine.ts';
import { machineBus } from './linux/systemd/system-bus.ts';
import type { Machine } from './machine.ts';
import { machineFacts } from './machine-facts.ts';
import { plainMachine } from './machine-plain.ts';

/**
 * The machine that the server runs on: the card image where our release is installed and systemd runs the server, else one that only tells.
 * `EDGE_MACHINE_TYPE` says its kind where no release does.
 * @param root of the file system; a test gives its own
 */
export function chooseMachine(environment: Environment, root = ''): Machine {
  const kind = environment.EDGE_MACHINE_TYPE ?? 'pc';
  const facts = () => machineFacts(kind, DataDir.of(environment).root);
  return isUnitOfSystemd(environment, SERVER_UNIT, root) && existsSync(`${root}${RELEASE_FILE}`)
    ? imageMachine({ bus: machineBus(environment), clock: systemClock, facts })
    : plainMachine(kind, facts);
}
