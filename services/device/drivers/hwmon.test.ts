import { existsSync, readdirSync } from 'node:fs';
import { driverContract } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import { hwmon } from './hwmon.ts';
import { environment, grow, open, readOne, tree } from './test-tools.ts';

const H = 'sys/class/hwmon';
const files = {
  [`${H}/hwmon0/name`]: 'cpu_thermal\n',
  [`${H}/hwmon0/temp1_input`]: '48312\n',
  [`${H}/hwmon1/name`]: 'rpi_volt\n',
  [`${H}/hwmon1/in0_lcrit_alarm`]: '0\n',
  [`${H}/hwmon2/name`]: 'ina226\n',
  [`${H}/hwmon2/in0_input`]: '12040\n',
  [`${H}/hwmon2/curr1_input`]: '-250\n',
  [`${H}/hwmon2/power1_input`]: '3010000\n',
  [`${H}/hwmon3/name`]: 'coretemp\n',
  [`${H}/hwmon3/temp1_label`]: 'Package id 0\n',
  [`${H}/hwmon3/temp1_input`]: '51000\n',
  [`${H}/hwmon3/temp1_crit`]: '100000\n',
  [`${H}/hwmon3/temp2_label`]: 'Core 0\n',
  [`${H}/hwmon3/temp2_input`]: '49000\n',
  [`${H}/hwmon4/name`]: 'ina226\n',
  [`${H}/hwmon4/in0_input`]: '5010\n',
  [`${H}/hwmon10/name`]: 'sht3x\n',
  [`${H}/hwmon10/temp1_input`]: '-1500\n',
  [`${H}/hwmon10/humidity1_input`]: '63250\n',
  [`${H}/hwmon11/name`]: 'emc2305\n',
  [`${H}/hwmon11/fan1_input`]: '2140\n',
  [`${H}/hwmon11/fan2_input`]: '0\n',
  [`${H}/hwmon11/fan2_fault`]: '1\n',
};
const read = async (options: object, source: object) => {
  const root = await tree(files);
  return readOne(
    await open(hwmon, { options, properties: { p: { datatype: 'float', source: { ...source } } } }, environment({ root })),
    'p',
  );
};

driverContract('hwmon on a copied tree', async () => {
  const root = await tree(files);
  return {
    driver: hwmon,
    environment: environment({ root }),
    options: { chip: 'ina226' },
    properties: ['in0', 'power1'].map((sensor) => ({ key: sensor, config: { datatype: 'float' as const, source: { sensor } } })),
    breakProperty: (key) => grow(root, { [`${H}/hwmon2/${key}_input`]: 'rubbish' }),
  };
});

test("the kernel's units become people's for each kind of sensor", async () => {
  expect(await read({ chip: 'cpu_thermal' }, { sensor: 'temp1' })).toBe(48.312);
  expect(await read({ chip: 'ina226' }, { sensor: 'in0' })).toBe(12.04);
  expect(await read({ chip: 'ina226' }, { sensor: 'curr1' })).toBe(-0.25);
  expect(await read({ chip: 'ina226' }, { sensor: 'power1' })).toBe(3.01);
  expect(await read({ chip: 'sht3x' }, { sensor: 'humidity1' })).toBe(63.25);
  expect(await read({ chip: 'emc2305' }, { sensor: 'fan1' })).toBe(2140);
});

test('of several chips with one name the index chooses', async () => {
  expect(await read({ chip: 'ina226', index: 1 }, { sensor: 'in0' })).toBe(5.01);
  expect(await read({ chip: 'ina226', index: 2 }, { sensor: 'in0' })).toMatch(/^fault: No hardware monitor ina226 with index 2 is there/);
});

test('without a chip the first one is read', async () => {
  expect(await read({}, { sensor: 'temp1' })).toBe(48.312);
});

test('a sensor is found by its label', async () => {
  expect(await read({ chip: 'coretemp' }, { label: 'Core 0' })).toBe(49);
  expect(await read({ chip: 'coretemp' }, { label: 'Core 9' })).toBe(
    'fault: sys/class/hwmon/hwmon3 has no sensor labelled "Core 9"; it has: Package id 0, Core 0',
  );
});

test('other attributes of a sensor can be read', async () => {
  expect(await read({ chip: 'coretemp' }, { sensor: 'temp1', attribute: 'crit' })).toBe(100);
});

test('a sensor that reports a fault has no value', async () => {
  expect(await read({ chip: 'emc2305' }, { sensor: 'fan2' })).toMatch(/^fault: .*fan2 reports a fault/);
});

test('a missing sensor is named', async () => {
  expect(await read({ chip: 'sht3x' }, { sensor: 'temp7' })).toMatch(/^fault: sys\/class\/hwmon\/hwmon10\/temp7_input is not there/);
});

test('a sensor is told by its name or by its label, not both', () => {
  expect(hwmon.source.safeParse({}).success).toBe(false);
  expect(hwmon.source.safeParse({ sensor: 'temp1', label: 'Core 0' }).success).toBe(false);
  expect(hwmon.source.safeParse({ sensor: '../temp1' }).success).toBe(false);
});

test.skipIf(!existsSync('/sys/class/hwmon') || readdirSync('/sys/class/hwmon').length === 0)(
  "this machine's own first monitor is found",
  async () => {
    expect(await hwmon.unavailable(environment({ root: '/' }))).toBeUndefined();
  },
);
