import { contractThing, driverContract, recordingSink } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { testEnvironment, thingOf } from '../test-tools.ts';
import { cpuThermalZone, system, systemThingYaml } from './system.ts';
import { tree } from './test-tools.ts';

const ZONES = {
  'sys/class/thermal/thermal_zone0/type': 'acpitz\n',
  'sys/class/thermal/thermal_zone0/temp': '27800\n',
  'sys/class/thermal/thermal_zone1/type': 'x86_pkg_temp\n',
  'sys/class/thermal/thermal_zone1/temp': '51250\n',
  'sys/class/thermal/cooling_device0/type': 'Processor\n',
};
const metric = (name: string) => ({ key: `main/${name}`, config: { datatype: 'float' as const, source: { metric: name } } });
const METRICS = ['load', 'cpu', 'memory', 'memory-used', 'disk', 'uptime'].map(metric);
const signal = () => new AbortController().signal;

driverContract('system on this machine', () => ({ driver: system, environment: testEnvironment(), properties: METRICS }));

test('tells the temperature of the processor, not of the first zone', async () => {
  const root = await tree(ZONES);
  const setup = { driver: system, environment: testEnvironment({ root }), properties: [metric('cpu-temperature')] };
  const open = await system.open(contractThing(setup), recordingSink(), setup.environment);
  expect(await open.read(['main/cpu-temperature'], signal())).toEqual(new Map([['main/cpu-temperature', 51.3]]));
});

test('an empty temperature is a fault, and not the freezing point', async () => {
  const root = await tree({ ...ZONES, 'sys/class/thermal/thermal_zone1/temp': '\n' });
  const setup = { driver: system, environment: testEnvironment({ root }), properties: [metric('cpu-temperature')] };
  const open = await system.open(contractThing(setup), recordingSink(), setup.environment);
  const answers = await open.read(['main/cpu-temperature'], signal());
  expect(answers.get('main/cpu-temperature')).toMatchObject({
    code: 'sensor-failed',
    message: expect.stringContaining('a number is wanted'),
  });
});

test('where there is no thermal zone, that property fails and the others do not', async () => {
  const setup = { driver: system, environment: testEnvironment(), properties: [metric('cpu-temperature'), metric('memory')] };
  const open = await system.open(contractThing(setup), recordingSink(), setup.environment);
  const answers = await open.read([...open.polled], signal());
  expect(answers.get('main/cpu-temperature')).toMatchObject({ code: 'sensor-failed', message: 'this machine tells no temperature' });
  expect(answers.get('main/memory')).toEqual(expect.any(Number));
});

test('its values lie where they can lie', async () => {
  const setup = { driver: system, environment: testEnvironment(), properties: METRICS };
  const open = await system.open(contractThing(setup), recordingSink(), setup.environment);
  const answers = await open.read([...open.polled], signal());
  for (const percent of ['cpu', 'memory', 'disk']) {
    expect(answers.get(`main/${percent}`)).toBeGreaterThanOrEqual(0);
    expect(answers.get(`main/${percent}`)).toBeLessThanOrEqual(100);
  }
  expect(answers.get('main/uptime')).toBeGreaterThan(0);
});

test('the thing of the machine itself is a good thing file, with and without a temperature', async () => {
  const root = await tree(ZONES);
  const hasTemperature = (await cpuThermalZone(root)) !== undefined;
  const withIt = systemThingYaml({ name: 'Ada’s "box": #1', dataRoot: 'C:\\data', hasTemperature });
  expect(thingOf('system', withIt).name).toBe('Ada’s "box": #1');
  expect(Object.keys(parse(withIt).properties)).toContain('cpu-temperature');
  const without = systemThingYaml({ name: 'box', dataRoot: '/data', hasTemperature: false });
  expect(thingOf('system', without).properties.map((p) => p.property)).not.toContain('cpu-temperature');
});
