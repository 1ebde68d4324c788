import { expect, test } from 'vitest';
import { createNotifier } from './notify.ts';

test('without systemd and without a supervisor nothing is told and nothing fails', () => {
  const notifier = createNotifier({}, undefined);
  notifier.ready();
  notifier.watchdog();
  expect(notifier.watchdogMs).toBeUndefined();
});

test('the addon is given what its native side takes unchecked: a process id, and one line of status', () => {
  const told: unknown[][] = [];
  const addon = {
    ready: () => told.push(['ready']),
    stopping: (pid: number) => told.push(['stopping', pid]),
    sendStatus: (text: string) => told.push(['status', text]),
    watchdog: () => told.push(['watchdog']),
  };
  const notifier = createNotifier({ NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '30000000' }, undefined, () => addon);
  expect(notifier.watchdogMs).toBe(10_000);
  notifier.ready();
  notifier.status('no sound\nREADY=1');
  notifier.watchdog();
  notifier.stopping();
  expect(told).toEqual([['ready'], ['status', 'no sound READY=1'], ['watchdog'], ['stopping', process.pid]]);
});
