import { driverContract } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import { iio } from './iio.ts';
import { environment, grow, open, readOne, tree } from './test-tools.ts';

const D = 'sys/bus/iio/devices';
/** As the kernel's bmp280, dht11, mcp3422 and bh1750 drivers show themselves. */
const files = {
  [`${D}/iio:device0/name`]: 'bme280\n',
  [`${D}/iio:device0/in_temp_input`]: '21830\n',
  [`${D}/iio:device0/in_pressure_input`]: '101.325253906\n',
  [`${D}/iio:device0/in_humidityrelative_input`]: '45123\n',
  [`${D}/iio:device1/name`]: 'ads1015\n',
  [`${D}/iio:device1/label`]: 'battery\n',
  [`${D}/iio:device1/in_voltage0_raw`]: '1100\n',
  [`${D}/iio:device1/in_voltage0_scale`]: '3.000000000\n',
  [`${D}/iio:device1/in_voltage0-voltage1_raw`]: '-20\n',
  [`${D}/iio:device1/in_voltage1_raw`]: '500\n',
  [`${D}/iio:device1/in_voltage_scale`]: '2\n',
  [`${D}/iio:device1/in_voltage-voltage_scale`]: '0.5\n',
  [`${D}/iio:device2/name`]: 'mpu6050\n',
  [`${D}/iio:device2/in_temp_raw`]: '-1200\n',
  [`${D}/iio:device2/in_temp_offset`]: '12421\n',
  [`${D}/iio:device2/in_temp_scale`]: '2.941176\n',
  [`${D}/iio:device2/in_accel_z_raw`]: '16384\n',
  [`${D}/iio:device2/in_accel_scale`]: '0.000598\n',
  [`${D}/iio:device10/name`]: 'bh1750\n',
  [`${D}/iio:device10/in_illuminance_raw`]: '120\n',
  [`${D}/iio:device10/in_illuminance_scale`]: '0.833333\n',
  [`${D}/trigger0/name`]: 'sysfstrig0\n',
};
const properties = (channel: string) => ({ p: { datatype: 'float' as const, source: { channel } } });
const read = async (channel: string, device?: string | number) => {
  const root = await tree(files);
  return readOne(
    await open(iio, { options: device === undefined ? {} : { device }, properties: properties(channel) }, environment({ root })),
    'p',
  );
};

driverContract('iio on a copied tree', async () => {
  const root = await tree(files);
  return {
    driver: iio,
    environment: environment({ root }),
    options: { device: 'bme280' },
    properties: ['temp', 'pressure'].map((channel) => ({ key: channel, config: { datatype: 'float' as const, source: { channel } } })),
    breakProperty: (key) => grow(root, { [`${D}/iio:device0/in_${key}_input`]: 'rubbish' }),
  };
});

test('milli degrees become °C, kilopascal become hPa, milli percent become %', async () => {
  expect(await read('temp', 'bme280')).toBe(21.83);
  expect(await read('pressure', 'bme280')).toBe(1013.25253906);
  expect(await read('humidityrelative', 'bme280')).toBe(45.123);
});

test('a raw value gets its offset first and its scale then', async () => {
  expect(await read('temp', 'mpu6050')).toBeCloseTo(((-1200 + 12421) * 2.941176) / 1000, 9);
});

test("a channel's own scale goes before the one shared by its type", async () => {
  expect(await read('voltage0', 'ads1015')).toBe(3.3);
  expect(await read('voltage1', 'ads1015')).toBe(1);
});

test('a differential channel uses the scale of differential channels', async () => {
  expect(await read('voltage0-voltage1', 'ads1015')).toBe(-0.01);
});

test('axes share the scale of their type, and units of people stay as they are', async () => {
  expect(await read('accel_z', 'mpu6050')).toBe(9.797632);
  expect(await read('illuminance', 'bh1750')).toBe(99.99996);
});

test('a device is found by label, by number, or by its channel alone', async () => {
  expect(await read('voltage0', 'battery')).toBe(3.3);
  expect(await read('illuminance', 10)).toBe(99.99996);
  expect(await read('illuminance')).toBe(99.99996);
});

test('names what is there when a device or a channel is missing', async () => {
  expect(await read('temp', 'sht31')).toBe('fault: No IIO device sht31 is there; there are bme280, ads1015, mpu6050, bh1750');
  expect(await read('temp', 'ads1015')).toBe(
    'fault: sys/bus/iio/devices/iio:device1 has no channel temp; it has voltage0, voltage0-voltage1, voltage1',
  );
});

test('one broken channel does not hold up the others', async () => {
  const root = await tree({ ...files, [`${D}/iio:device0/in_temp_input`]: 'rubbish\n' });
  const both = { ...properties('pressure'), broken: { datatype: 'float' as const, source: { channel: 'temp' } } };
  const thing = await open(iio, { options: { device: 0 }, properties: both }, environment({ root }));
  expect(await readOne(thing, 'p')).toBe(1013.25253906);
  expect(await readOne(thing, 'broken')).toMatch(/fault: .*in_temp_input says "rubbish"; a number is wanted/);
});

test('a channel cannot lead out of the tree', () => {
  expect(iio.source.safeParse({ channel: '../../../../etc/passwd' }).success).toBe(false);
  expect(iio.source.safeParse({ channel: 'temp/../x' }).success).toBe(false);
});

test('says what is missing on a machine without industrial I/O', async () => {
  expect(await iio.unavailable(environment())).toContain('/sys/bus/iio/devices is missing');
});
