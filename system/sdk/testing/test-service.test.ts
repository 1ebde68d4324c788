import { defineService, operation, Problem, z } from '@ledge/sdk';
import { expect, test } from 'vitest';
import { testService } from './test-service.ts';

const limit = operation({ method: 'get', path: '/limit', summary: 'The limit', for: 'viewer', response: z.number() });

/** Switches a fan on above a limit. */
const cooler = defineService({
  name: 'cooler',
  version: '1.0.0',
  summary: 'Cools',
  settings: z.object({ limit: z.number().default(30) }),
  start(context) {
    context.api.handle(limit, () => context.settings.limit);
    context.things.watch('shed/main/temperature', async (value) => {
      await context.things.command('shed/main/fan', Number(value) > context.settings.limit);
    });
    context.things.watchState('shed', (state) => context.bus.publish('ledge-test/5/cooler/main/shed', state));
    return {
      apply() {},
      actions: {
        refuse: {
          title: 'Refuse',
          run: () => {
            throw new Problem('not-supported', 'no');
          },
        },
      },
    };
  },
});

test('a service runs with the given settings, and its API is asked as an admin or a viewer', async () => {
  await using service = await testService(cooler, { settings: { limit: 25 } });
  expect(await service.get('/limit')).toEqual({ status: 200, body: 25 });
  expect(await service.put('/settings', { limit: 26 }, 'viewer')).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
  expect((await service.put('/settings', { limit: 26 })).status).toBe(200);
  expect((await service.get('/limit', 'viewer')).body).toBe(26);
  expect(await service.post('/actions/refuse')).toMatchObject({ status: 409, body: { code: 'not-supported' } });
  expect((await service.delete('/limit')).status).toBe(405);
  expect((await service.get('/metrics')).body).toContain('service="cooler"');
});

test('things of the test say values and states, and do what they are told', async () => {
  await using service = await testService(cooler);
  service.say('shed/main/fan', false, { settable: true });
  service.say('shed/main/temperature', 31, { unit: '°C' });
  service.say('shed/main/temperature', 29);
  service.sayState('shed', 'ready');
  await service.clock.advance(0);
  expect(service.commanded).toEqual([
    ['shed/main/fan', 'true'],
    ['shed/main/fan', 'false'],
  ]);
  expect(service.published).toContainEqual({ topic: 'ledge-test/5/cooler/main/shed', payload: 'ready' });
  expect(service.logged.filter(({ level }) => Number(level) > 40)).toEqual([]);
});

test('a thing can refuse, and what the service logs then is seen', async () => {
  await using service = await testService(cooler);
  service.say('shed/main/fan', false, { settable: true, refuses: 'it is jammed' });
  service.say('shed/main/temperature', 31);
  await service.clock.advance(0);
  expect(service.logged).toContainEqual(
    expect.objectContaining({
      msg: 'listener failed',
      err: expect.objectContaining({ message: 'shed/main/fan was not set: it is jammed' }),
    }),
  );
});

test('wrong settings stop the start, as they do on a box', async () => {
  await expect(testService(cooler, { settings: { limit: 'high' as never } })).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining('limit is "high"'),
  });
});
