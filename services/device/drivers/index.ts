import type { Driver } from '../driver.ts';
import { simulatedDriver } from './simulated.ts';
import { systemDriver } from './system.ts';

/** Every driver that is built in, by name. One of your own is one more line here. */
export const builtInDrivers: ReadonlyMap<string, Driver> = new Map<string, Driver>(
  [systemDriver, simulatedDriver].map((driver) => [driver.name, driver as unknown as Driver]),
);
