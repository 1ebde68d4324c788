import { createLogger, main } from '@ledge/kit';
import type { Driver } from '@ledge/sdk';
import { deviceService } from './device.ts';
import { builtInDrivers } from './drivers/index.ts';

/**
 * The whole program of this service with a project's drivers beside the built-in ones. A driver that cannot be loaded, or is not what its file's
 * name says, is left out and logged; its things say that they have none.
 * @param loaders by the names of the drivers' files
 */
export async function mainWithDrivers(loaders: Readonly<Record<string, () => Promise<{ default?: unknown }>>>): Promise<void> {
  const log = createLogger('device', process.env);
  const drivers = new Map(builtInDrivers);
  for (const [name, load] of Object.entries(loaders)) {
    try {
      drivers.set(name, asDriver(name, (await load()).default));
    } catch (error) {
      log.error({ err: error, driver: name }, `drivers/${name}.ts is left out: ${error instanceof Error ? error.message : error}`);
    }
  }
  await main(deviceService({ drivers }));
}

function asDriver(name: string, exported: unknown): Driver {
  const driver = exported as Partial<Driver> | undefined;
  if (typeof driver?.open !== 'function') throw new Error('it has no default export; export default defineDriver({ … }) is wanted');
  if (driver.name !== name) throw new Error(`its name is ${driver.name}; ${name}, the name of its file, is wanted`);
  return driver as Driver;
}
