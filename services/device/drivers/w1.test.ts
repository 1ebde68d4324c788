import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { driverContract } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import { environment, grow, open, readOne, tree } from './test-tools.ts';
import { w1 } from './w1.ts';

const FIRST = 'sys/bus/w1/devices/28-0000051e015b';
const SECOND = 'sys/bus/w1/devices/28-0316a2795bff';
const GOOD = '72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n';
const POWER_ON = '50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n';
const TRULY_85 = '50 05 4b 46 7f ff 10 10 8c : crc=8c YES\n50 05 4b 46 7f ff 10 10 8c t=85000\n';
const temperature = (source = {}) => ({ temperature: { datatype: 'float' as const, source } });

const bus = (files: Record<string, string>) => tree({ 'sys/bus/w1/devices/w1_bus_master1/w1_master_slave_count': '1\n', ...files });

driverContract('w1 on a copied tree', async () => {
  const root = await tree({ [`${FIRST}/temperature`]: '23125\n', [`${SECOND}/temperature`]: '-4500\n' });
  return {
    driver: w1,
    environment: environment({ root }),
    properties: [FIRST, SECOND].map((path) => ({ key: path, config: { datatype: 'float' as const, source: { id: path.slice(-15) } } })),
    breakProperty: (key) => grow(root, { [`${key}/temperature`]: 'rubbish' }),
  };
});

test('reads the first thermometer when none is named', async () => {
  const root = await bus({ [`${FIRST}/temperature`]: '23125\n', [`${SECOND}/temperature`]: '-4500\n' });
  const thing = await open(w1, { properties: temperature() }, environment({ root }));
  expect(await readOne(thing, 'temperature')).toBe(23.125);
});

test('reads the thermometer that the property names', async () => {
  const root = await bus({ [`${FIRST}/temperature`]: '23125\n', [`${SECOND}/temperature`]: '-4500\n' });
  const thing = await open(
    w1,
    { options: { id: '28-0000051e015b' }, properties: temperature({ id: '28-0316a2795bff' }) },
    environment({ root }),
  );
  expect(await readOne(thing, 'temperature')).toBe(-4.5);
});

test('reads w1_slave where the kernel has no temperature file', async () => {
  const root = await bus({ [`${FIRST}/w1_slave`]: GOOD });
  const thing = await open(w1, { properties: temperature() }, environment({ root }));
  expect(await readOne(thing, 'temperature')).toBe(23.125);
});

test('reads w1_slave when the temperature file has no value yet', async () => {
  const root = await bus({ [`${FIRST}/temperature`]: '', [`${FIRST}/w1_slave`]: GOOD });
  const thing = await open(w1, { properties: temperature() }, environment({ root }));
  expect(await readOne(thing, 'temperature')).toBe(23.125);
});

test('a wrong checksum is a fault and no value', async () => {
  const root = await bus({ [`${FIRST}/w1_slave`]: GOOD.replace('YES', 'NO') });
  const thing = await open(w1, { properties: temperature() }, environment({ root }));
  expect(await readOne(thing, 'temperature')).toMatch(/^fault: .*checksum is wrong/);
});

test('85 °C from before the first measurement is a fault', async () => {
  const root = await bus({ [`${FIRST}/temperature`]: '85000\n', [`${FIRST}/w1_slave`]: POWER_ON });
  const thing = await open(w1, { properties: temperature() }, environment({ root }));
  expect(await readOne(thing, 'temperature')).toMatch(/^fault: .*85 °C, its value before it has measured/);
});

test('a measured 85 °C is believed', async () => {
  const root = await bus({ [`${FIRST}/temperature`]: '85000\n', [`${FIRST}/w1_slave`]: TRULY_85 });
  const thing = await open(w1, { properties: temperature() }, environment({ root }));
  expect(await readOne(thing, 'temperature')).toBe(85);
});

test('a thermometer that is unplugged is a fault until it is back', async () => {
  const root = await bus({ [`${FIRST}/temperature`]: '20000\n' });
  const thing = await open(w1, { properties: temperature({ id: '28-0000051e015b' }) }, environment({ root }));
  await rm(join(root, FIRST), { recursive: true });
  expect(await readOne(thing, 'temperature')).toBe('fault: No 1-Wire thermometer 28-0000051e015b is on the bus; there are none');
  await grow(root, { [`${FIRST}/temperature`]: '21000\n' });
  expect(await readOne(thing, 'temperature')).toBe(21);
});

test('says what is missing on a machine without a 1-Wire bus', async () => {
  const env = environment({ root: await tree({ 'sys/class/none': '' }) });
  expect(await w1.unavailable(env)).toContain('dtoverlay=w1-gpio');
  await expect(open(w1, { properties: temperature() }, env)).rejects.toMatchObject({ code: 'driver-unavailable' });
});
