import { Problem } from '@ledge/contract';
import type { ServiceManager } from '@ledge/host';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { ServiceControl } from './control.ts';

const quiet = pino({ level: 'silent' });

function supervised() {
  const done: string[] = [];
  const act = (verb: string) => async (name: string) => {
    if (name === 'ghost') throw new Problem('not-found', 'There is no service ghost.');
    done.push(`${verb} ${name}`);
  };
  const manager: ServiceManager = {
    list: async () => [{ name: 'server', state: 'running', restarts: 0 }],
    start: act('start'),
    stop: act('stop'),
    restart: act('restart'),
    async *logs() {},
  };
  const clock = fakeClock();
  const events: unknown[] = [];
  return { done, clock, events, control: new ServiceControl(manager, clock, quiet, (event) => events.push(event)) };
}

test('a service is restarted, and it is said by whom', async () => {
  const { control, done, events } = supervised();
  expect(await control.command('restart', 'media', 'anna')).toEqual({ name: 'media', state: 'starting' });
  expect(done).toEqual(['restart media']);
  expect(events).toEqual([{ service: 'media', by: 'anna' }]);
});

test('the server answers before it is restarted', async () => {
  const { control, done, clock } = supervised();
  await control.command('restart', 'server', 'anna');
  expect(done).toEqual([]);
  await clock.advance(300);
  expect(done).toEqual(['restart server']);
});

test('the server does not stop itself', async () => {
  const { control } = supervised();
  await expect(control.command('stop', 'server', 'anna')).rejects.toMatchObject({ code: 'not-allowed' });
});

test('names that nobody has, and machines without a supervisor, are told', async () => {
  const { control, events } = supervised();
  await expect(control.command('start', 'ghost', 'anna')).rejects.toMatchObject({ code: 'not-found' });
  await expect(control.command('start', '../x', 'anna')).rejects.toMatchObject({ code: 'not-found' });
  expect(events).toEqual([]);
  const alone = new ServiceControl(undefined, fakeClock(), quiet, () => {});
  await expect(alone.command('start', 'media', 'anna')).rejects.toMatchObject({ code: 'not-supported' });
});
