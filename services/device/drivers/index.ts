import type { Driver } from '@ledge/sdk';
import { gpio } from './gpio.ts';
import { http } from './http.ts';
import { hwmon } from './hwmon.ts';
import { iio } from './iio.ts';
import { mqtt } from './mqtt.ts';
import { serial } from './serial.ts';
import { simulated } from './simulated.ts';
import { system } from './system.ts';
import { w1 } from './w1.ts';

const drivers = [system, gpio, w1, iio, hwmon, mqtt, http, serial, simulated];

/** Every driver that is built in, by name. A project's own are passed to `deviceService` beside these. */
export const builtInDrivers: ReadonlyMap<string, Driver> = new Map(
  // each driver only ever gets what its own schemas parsed, so their types may be forgotten here
  drivers.map((driver) => [driver.name, driver as unknown as Driver]),
);
