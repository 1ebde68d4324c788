import type { Logger } from '@ledge/kit';
import type { Driver, DriverEnvironment } from '@ledge/sdk';
import { type FakeClock, fakeClock, memoryBus } from '@ledge/testing';
import { pino } from 'pino';
import { builtInDrivers } from './drivers/index.ts';
import { parseThing, type ThingConfig } from './things/load.ts';

export const silent: Logger = pino({ level: 'silent' });

/** A machine for drivers, with nothing behind it. */
export function testEnvironment(overrides: Partial<DriverEnvironment> = {}): DriverEnvironment & { clock: FakeClock } {
  return {
    edge: 'ledge-test',
    clock: fakeClock(),
    random: () => 0.5,
    log: silent,
    root: '/nowhere',
    bus: memoryBus(),
    fetch: globalThis.fetch,
    processes: {
      spawn: () => {
        throw new Error('no processes here');
      },
    },
    ...overrides,
  } as DriverEnvironment & { clock: FakeClock };
}

/** A thing from lines of YAML. */
export const thingOf = (id: string, yaml: string, drivers: ReadonlyMap<string, Driver> = builtInDrivers): ThingConfig =>
  parseThing(id, yaml, `${id}.yaml`, drivers);
