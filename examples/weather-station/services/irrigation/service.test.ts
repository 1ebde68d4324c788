import { type TestedService, testService } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import irrigation from './service.ts';

/** A dry garden under a clear sky, with a valve that does what it is told. */
async function garden(settings = {}): Promise<TestedService> {
  const service = await testService(irrigation, { settings });
  service.say('valve/main/open', false, { settable: true });
  service.sayState('soil', 'ready');
  service.say('soil/main/moisture', 55, { unit: '%' });
  service.say('rain/main/intensity', 0, { unit: 'mm/h' });
  await service.clock.advance(0);
  return service;
}
const OPENED = ['valve/main/open', 'true'];
const CLOSED = ['valve/main/open', 'false'];

test('dry soil opens the valve, rain closes it, and the status says why', async () => {
  await using service = await garden();
  expect(service.commanded).toEqual([]);
  service.say('soil/main/moisture', 20);
  await service.clock.advance(0);
  expect(service.commanded).toEqual([OPENED]);
  expect(await service.get('/status', 'viewer')).toEqual({
    status: 200,
    body: { value: 'watering', why: 'the soil has 20 %, which is dry', moisturePercent: 20, rainMmPerHour: 0 },
  });
  service.say('rain/main/intensity', 6.5);
  await service.clock.advance(0);
  expect(service.commanded).toEqual([OPENED, CLOSED]);
  expect((await service.get('/status')).body).toMatchObject({ value: 'resting', why: 'it rains, 6.5 mm/h' });
});

test('a soil sensor that is gone ends the watering', async () => {
  await using service = await garden();
  service.say('soil/main/moisture', 20);
  await service.clock.advance(0);
  service.sayState('soil', 'lost');
  await service.clock.advance(0);
  expect(service.commanded).toEqual([OPENED, CLOSED]);
});

test('a setting counts at once', async () => {
  await using service = await garden();
  await service.put('/settings', { dryPercent: 60, wetPercent: 70 });
  await service.clock.advance(0);
  expect(service.commanded).toEqual([OPENED]);
});

test('an admin may tell it to water for some minutes, a viewer may not', async () => {
  await using service = await garden({ holdS: 0 });
  expect((await service.post('/actions/water-now', { minutes: 2 }, 'viewer')).status).toBe(403);
  expect(await service.post('/actions/water-now', { minutes: 2 })).toEqual({ status: 200, body: { result: { minutes: 2 } } });
  expect(service.commanded).toEqual([OPENED]);
  await service.clock.advance(119_000);
  expect(service.commanded).toEqual([OPENED]);
  await service.clock.advance(1000);
  expect(service.commanded).toEqual([OPENED, CLOSED]);
  expect((await service.get('/metrics')).body).toMatch(/^irrigation_watering_seconds_total\{[^}]*\} 1(19|20)$/m);
  expect((await service.get('/actions')).body).toMatchObject([{ name: 'water-now', confirm: expect.stringContaining('?') }]);
});

test('a valve that refuses is told to whoever asks, and once in the log', async () => {
  await using service = await testService(irrigation);
  service.say('valve/main/open', false, { settable: true, refuses: 'no pressure' });
  await service.clock.advance(0);
  expect(await service.post('/actions/water-now')).toMatchObject({
    status: 409,
    body: { code: 'command-rejected', detail: 'valve/main/open was not set: no pressure' },
  });
  service.sayState('soil', 'ready');
  service.say('soil/main/moisture', 20);
  await service.clock.advance(5000);
  expect((await service.get('/status')).body).toMatchObject({ value: 'resting', why: 'valve/main/open was not set: no pressure' });
  expect(service.logged.filter(({ msg }) => msg === 'the valve was not moved')).toHaveLength(1);
});

test('it leaves the valve closed when it is stopped', async () => {
  const service = await garden();
  service.say('soil/main/moisture', 20);
  await service.clock.advance(0);
  await service.stop();
  expect(service.commanded).toEqual([OPENED, CLOSED]);
});
