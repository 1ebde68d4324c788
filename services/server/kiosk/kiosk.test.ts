import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { openSettingsDatabase } from '../auth/database.ts';
import { Facts } from '../auth/facts.ts';
import { KioskDesk } from './kiosk-desk.ts';
import { displayMay } from './may-display.ts';
import { DISPLAY, KioskPass } from './pass.ts';

const HEARTBEAT = { page: '/kiosk', drawnAgoMs: 120, online: true };

function desk() {
  const clock = fakeClock();
  const events: unknown[] = [];
  const kiosk = new KioskDesk({
    facts: new Facts(openSettingsDatabase(':memory:')),
    clock,
    onSilent: (silent) => events.push(['silent', silent]),
    onSeen: (seen) => events.push(['seen', seen]),
  });
  kiosk.start();
  return { clock, events, kiosk };
}

test('a display that was never there is not missed', async () => {
  const { clock, events, kiosk } = desk();
  await clock.advance(600_000);
  expect(kiosk.state).toEqual({ silent: false });
  expect([events, kiosk.fault]).toEqual([[], undefined]);
});

test('a display that is silent for more than a minute is told once, and again when it is back', async () => {
  const { clock, events, kiosk } = desk();
  kiosk.hear(HEARTBEAT);
  await clock.advance(60_000);
  expect(events).toEqual([]);
  expect(kiosk.state).toEqual({ silent: false, last: { ...HEARTBEAT, ageMs: 60_000 } });
  await clock.advance(120_000);
  expect(events).toEqual([['silent', { page: '/kiosk', silentS: 70 }]]);
  expect(kiosk.fault).toMatch(/display is silent/);
  kiosk.hear(HEARTBEAT);
  expect(events.at(-1)).toEqual(['seen', { page: '/kiosk' }]);
  expect([kiosk.fault, kiosk.state.silent]).toEqual([undefined, false]);
  kiosk.stop();
  expect(clock.pendingTimers).toBe(0);
});

test('what the display shows has defaults and is replaced as a whole', () => {
  const { kiosk } = desk();
  expect(kiosk.settings).toEqual({ title: '', tiles: [], dark: 'auto' });
  kiosk.replace({ title: 'Barn', tiles: ['greenhouse/main/temperature'], dark: 'dark' });
  expect(kiosk.settings).toMatchObject({ title: 'Barn', dark: 'dark' });
});

test('the pass and its cookie are good on this machine only, and without a pass nothing is', () => {
  const clock = fakeClock();
  const pass = new KioskPass('s3cret', clock);
  expect(['127.0.0.1', '::1', '192.168.1.9', 'unknown'].map((address) => pass.admits('s3cret', address))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(pass.admits('S3cret', '::1')).toBe(false);
  const secret = /^ledge=([\w-]{43}); /.exec(pass.cookie())?.[1] ?? '';
  expect(pass.identify(secret, '127.0.0.1')).toMatchObject({ user: DISPLAY, role: 'kiosk' });
  expect(pass.identify(secret, '192.168.1.9')).toBeUndefined();
  expect(new KioskPass('other', clock).identify(secret, '127.0.0.1')).toBeUndefined();
  const none = new KioskPass(undefined, clock);
  expect([none.admits('', '::1'), none.identify('', '::1')]).toEqual([false, undefined]);
});

test.each([
  ['GET', 'device', '/things', true],
  ['GET', 'device', '/things/greenhouse?x=1', true],
  ['GET', 'sse', '/stream?topic=a', true],
  ['GET', 'server', '/history/a/b/c?points=3', true],
  ['POST', 'server', '/kiosk/heartbeat', true],
  ['PUT', 'device', '/things/greenhouse/main/fan', false],
  ['DELETE', 'device', '/things/greenhouse', false],
  ['GET', 'device', '/settings', false],
  ['GET', 'device', '/things/greenhouse/yaml', false],
  ['POST', 'sse', '/publish', false],
  ['GET', 'server', '/settings', false],
  ['GET', 'server', '/logs', false],
  ['GET', 'server', '/users', false],
  ['GET', 'server', '/kiosk/state', false],
  ['PUT', 'server', '/kiosk', false],
  ['GET', 'weather', '/things', false],
])('the display: %s %s%s is %s', (method, service, rest, may) => {
  expect(displayMay(method, service, rest)).toBe(may);
});
