import type { Driver, DriverEnvironment } from '@ledge/sdk';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { driverView } from '../driver-view.ts';
import { pi4, pi5 } from './gpio-worlds.ts';
import { hwmon } from './hwmon.ts';
import { iio } from './iio.ts';
import { serial } from './serial.ts';
import { simulated } from './simulated.ts';
import { environment, open, tree } from './test-tools.ts';
import { w1 } from './w1.ts';

const look = async (driver: unknown, env: DriverEnvironment) => {
  const { found } = await driverView(driver as Driver, env);
  return found.map(({ title, yaml }) => ({ title, thing: parse(yaml) as Record<string, unknown> }));
};
const on = async (files: Record<string, string>) => environment({ root: await tree(files) });

test('each thermometer on the 1-Wire bus is found', async () => {
  const env = await on({ 'sys/bus/w1/devices/28-0316a2795bff/temperature': '1\n', 'sys/bus/w1/devices/w1_bus_master1/x': '' });
  expect(await look(w1, env)).toMatchObject([
    { title: 'Thermometer 28-0316a2795bff', thing: { driver: 'w1', properties: { temperature: { source: { id: '28-0316a2795bff' } } } } },
  ]);
});

test('industrial I/O devices are found with all channels; two of one name are told apart', async () => {
  const device = (n: number, name: string, ...channels: string[]) =>
    Object.fromEntries([
      [`sys/bus/iio/devices/iio:device${n}/name`, `${name}\n`],
      ...channels.map((channel) => [`sys/bus/iio/devices/iio:device${n}/${channel}`, '1\n']),
    ]);
  const env = await on({
    ...device(0, 'bme280', 'in_temp_input', 'in_humidityrelative_input'),
    ...device(1, 'adc', 'in_voltage0_raw'),
    ...device(2, 'adc', 'in_voltage0_raw'),
    ...device(3, 'dac', 'out_voltage0_raw'),
  });
  const found = await look(iio, env);
  expect(found.map(({ thing }) => thing.options)).toEqual([{ device: 'bme280' }, { device: 'iio:device1' }, { device: 'iio:device2' }]);
  expect(found[0]).toMatchObject({
    title: 'bme280: humidityrelative, temp',
    thing: { properties: { temperature: { unit: '°C', source: { channel: 'temp' } }, humidity: { unit: '%' } } },
  });
});

test('hardware monitors are found with the kernel’s labels; the second of a name by its index', async () => {
  const env = await on({
    'sys/class/hwmon/hwmon0/name': 'ina226\n',
    'sys/class/hwmon/hwmon0/in0_input': '1\n',
    'sys/class/hwmon/hwmon1/name': 'silent\n',
    'sys/class/hwmon/hwmon2/name': 'ina226\n',
    'sys/class/hwmon/hwmon2/power1_input': '1\n',
    'sys/class/hwmon/hwmon2/power1_label': 'Panel\n',
  });
  expect((await look(hwmon, env)).map(({ thing }) => thing)).toMatchObject([
    { options: { chip: 'ina226' }, properties: { in0: { unit: 'V' } } },
    { options: { chip: 'ina226', index: 1 }, properties: { power1: { name: 'Panel', unit: 'W' } } },
  ]);
});

test('serial ports are found by names that stay, else by those of the kernel', async () => {
  const plugged = { 'dev/ttyUSB0': '', 'dev/serial0': '', 'dev/tty1': '' };
  const titles = async (files: Record<string, string>) => (await look(serial, await on(files))).map(({ title }) => title);
  expect(await titles(plugged)).toEqual(['/dev/ttyUSB0', '/dev/serial0']);
  expect(await titles({ ...plugged, 'dev/serial/by-id/usb-Arduino_Uno-if00': '' })).toEqual([
    '/dev/serial/by-id/usb-Arduino_Uno-if00',
    '/dev/serial0',
  ]);
  expect(await titles({})).toEqual([]);
});

test('pins that no thing uses are found: by BCM number on a Pi, by either way to them', async () => {
  const { driver, env } = await pi4();
  await open(driver, { properties: { p: { datatype: 'boolean', source: { bcm: 17 } } } }, env);
  expect((await look(driver, env)).map(({ title, thing }) => [title, thing.properties])).toEqual([
    ['Input at GPIO27', { input: { datatype: 'boolean', source: { bcm: 27, debounce: '20ms' } } }],
    ['Output at GPIO22', { output: { datatype: 'boolean', settable: true, source: { bcm: 22, safe: false } } }],
  ]);
  const other = pi5();
  expect((await look(other.driver, other.env)).map(({ title }) => title)).toEqual(['Input at GPIO17', 'Output at GPIO27']);
});

test('a driver without its hardware, one that looks for nothing, and one that is slow or fails, find nothing', async () => {
  const env = environment({});
  expect(await driverView(w1 as unknown as Driver, env)).toMatchObject({ available: false, why: expect.any(String), found: [] });
  expect(await driverView(simulated as unknown as Driver, env)).toMatchObject({ available: true, found: [] });
  const with_ = (found: Driver['found']) => ({ ...simulated, found }) as unknown as Driver;
  const slow = look(
    with_(() => new Promise(() => {})),
    env,
  );
  await env.clock.advance(2000);
  expect(await slow).toEqual([]);
  expect(
    await look(
      with_(() => Promise.reject(new Error('broken'))),
      env,
    ),
  ).toEqual([]);
  expect(env.clock.pendingTimers).toBe(0);
});
