import { driverContract, driverEnvironment, type FakeChild, fakeProcesses, readThing, recordingSink } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import rainGauge from './rain-gauge.ts';

const AT_A_PIN = 'driver: rain-gauge\noptions: { pin: GPIO17, mmPerTip: 0.5 }\nproperties:\n';
const property = (key: string, datatype: 'float' | 'integer' | 'boolean', tells: string) => ({
  key: `main/${key}`,
  config: { datatype, settable: datatype === 'boolean', source: { tells } },
});
const MEASURES = [property('intensity', 'float', 'intensity'), property('hour', 'float', 'last-hour'), property('tips', 'integer', 'tips')];

driverContract('a bucket at a pin', () => ({
  driver: rainGauge,
  environment: driverEnvironment({ processes: fakeProcesses({ gpiomon: (child) => child.say('Monitoring line GPIO17') }) }),
  options: { pin: 'GPIO17' },
  properties: MEASURES,
}));
driverContract('a pretended bucket', () => ({
  driver: rainGauge,
  environment: driverEnvironment(),
  properties: [...MEASURES, property('cloudburst', 'boolean', 'cloudburst')],
  settable: { key: 'main/cloudburst', value: true },
}));

/** A bucket of half a millimetre, at a pin that the test closes, or pretended. */
async function gauge(pin: 'GPIO17' | undefined, ...tells: ('intensity' | 'last-hour' | 'tips' | 'cloudburst')[]) {
  const processes = fakeProcesses({ gpiomon: () => {} });
  const environment = driverEnvironment({ processes });
  const properties = tells.map((measure) => ({
    key: measure,
    config: { datatype: 'float', settable: false, retained: true, history: true, source: {} } as const,
    source: { tells: measure },
  }));
  const open = await rainGauge.open({ id: 'rain', options: { pin, mmPerTip: 0.5 }, properties }, recordingSink(), environment);
  return {
    clock: environment.clock,
    contact: () => processes.running('gpiomon')[0] as FakeChild,
    open,
    read: async () => Object.fromEntries(await open.read(tells, new AbortController().signal)),
  };
}

test('each tip counts, and the last two tell how hard it rains', async () => {
  const { clock, contact, read } = await gauge('GPIO17', 'intensity', 'last-hour', 'tips');
  expect(contact().args).toEqual(expect.arrayContaining(['--by-name', 'falling', 'GPIO17']));
  contact().say('tip');
  await clock.advance(60_000);
  contact().say('tip');
  expect(await read()).toEqual({ intensity: 30, 'last-hour': 1, tips: 2 });
});

test('when the next tip is late it rains less, and after an hour not at all', async () => {
  const { clock, contact, read } = await gauge('GPIO17', 'intensity', 'last-hour', 'tips');
  contact().say('tip');
  await clock.advance(60_000);
  contact().say('tip');
  await clock.advance(10 * 60_000);
  expect(await read()).toMatchObject({ intensity: 3, 'last-hour': 1 });
  await clock.advance(50 * 60_000);
  expect(await read()).toEqual({ intensity: 0, 'last-hour': 0, tips: 2 });
});

test('a contact that cannot be watched is a fault with its reason, until it can', async () => {
  const { clock, contact, read } = await gauge('GPIO17', 'tips');
  contact().exit(1, 'gpiomon: unable to request lines: Device or resource busy');
  await clock.advance(0);
  expect((await read()).tips).toMatchObject({
    code: 'sensor-failed',
    message: expect.stringContaining('GPIO17 cannot be watched: gpiomon: unable'),
  });
  await clock.advance(5000);
  contact().say('Monitoring line GPIO17');
  expect(await read()).toEqual({ tips: 0 });
});

test('a cloudburst tips the pretended bucket until it is over', async () => {
  const { clock, open, read } = await gauge(undefined, 'tips', 'intensity', 'cloudburst');
  const set = (on: boolean) => open.write('cloudburst', on, new AbortController().signal);
  await set(true);
  await clock.advance(10_000);
  expect(await read()).toEqual({ tips: 3, intensity: 360, cloudburst: true });
  await set(false);
  await clock.advance(60_000);
  expect(await read()).toMatchObject({ tips: 3, cloudburst: false });
});

test('rain at a pin cannot be switched on, and whoever tries a thing out does not take the pin', async () => {
  const environment = driverEnvironment({ processes: fakeProcesses({ gpiomon: () => {} }) });
  const burst = `${AT_A_PIN}  burst: { datatype: boolean, source: { tells: cloudburst } }\n`;
  await expect(readThing(rainGauge, burst, environment)).rejects.toThrow(/cloudburst; rain at a pin cannot be switched on/);
  const trial = { id: 'rain', options: { pin: 'GPIO17', mmPerTip: 0.5 }, properties: [], trial: true };
  await rainGauge.open(trial, recordingSink(), environment);
  expect(environment.processes.children).toEqual([]);
});
