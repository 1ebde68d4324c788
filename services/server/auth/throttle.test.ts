import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { FREE_TRIES, LONGEST_LOCK_MS, LoginThrottle, networkOf } from './throttle.ts';

const wrongTries = (throttle: LoginThrottle, count: number, name: string, address: string) => {
  let lockedForS = 0;
  for (let i = 0; i < count; i++) lockedForS = throttle.begin(name, address).wrong();
  return lockedForS;
};

test('some typing errors are free, then each one locks for twice as long', async () => {
  const clock = fakeClock();
  const throttle = new LoginThrottle(clock);
  expect(wrongTries(throttle, FREE_TRIES - 1, 'admin', '10.0.0.5')).toBe(0);
  expect(wrongTries(throttle, 1, 'admin', '10.0.0.5')).toBe(2);
  expect(() => throttle.begin('admin', '10.0.0.5')).toThrow(expect.objectContaining({ code: 'too-many-tries', retryAfterS: 2 }));
  await clock.advance(2000);
  expect(wrongTries(throttle, 1, 'admin', '10.0.0.5')).toBe(4);
});

test('trying while locked does not lengthen the lock, and upper case is no way around it', async () => {
  const clock = fakeClock();
  const throttle = new LoginThrottle(clock);
  wrongTries(throttle, FREE_TRIES, 'admin', '10.0.0.5');
  for (let i = 0; i < 50; i++) expect(() => throttle.begin('ADMIN', '10.0.0.5')).toThrow();
  await clock.advance(2000);
  throttle.begin('admin', '10.0.0.5').right();
  expect(wrongTries(throttle, 1, 'admin', '10.0.0.5')).toBe(0);
});

test('the lock has a longest time', async () => {
  const clock = fakeClock();
  const throttle = new LoginThrottle(clock);
  let lockedForS = 0;
  for (let i = 0; i < 30; i++) {
    lockedForS = throttle.begin('admin', '10.0.0.5').wrong();
    await clock.advance(lockedForS * 1000);
  }
  expect(lockedForS * 1000).toBe(LONGEST_LOCK_MS);
});

test('whoever guesses at one address does not lock the owner out at another', async () => {
  const clock = fakeClock();
  const throttle = new LoginThrottle(clock);
  for (let i = 0; i < 1000; i++) {
    await clock.advance(60_000);
    try {
      throttle.begin('admin', '10.0.0.66').wrong();
    } catch {
      // locked, as it should be
    }
  }
  expect(() => throttle.begin('admin', '10.0.0.66')).toThrow();
  throttle.begin('admin', '10.0.0.5').right();
});

test('many wrong tries together slow strangers down, but not who has signed in from there before', () => {
  const throttle = new LoginThrottle(fakeClock());
  throttle.begin('admin', '10.0.0.5').right();
  for (let i = 0; i < 100; i++) throttle.begin('admin', `10.0.1.${i}`).wrong();
  const stranger = throttle.begin('admin', '10.0.2.1');
  expect(stranger.delayMs).toBe(5000);
  expect(throttle.begin('admin', '10.0.0.5').delayMs).toBe(0);
});

test('the slowness drains away', async () => {
  const clock = fakeClock();
  const throttle = new LoginThrottle(clock);
  for (let i = 0; i < 100; i++) throttle.begin('admin', `10.0.1.${i}`).wrong();
  await clock.advance(160_000);
  expect(throttle.begin('admin', '10.0.2.1').delayMs).toBe(0);
});

test('tries at the same time count before they are checked', () => {
  const throttle = new LoginThrottle(fakeClock());
  wrongTries(throttle, FREE_TRIES - 1, 'admin', '10.0.0.5');
  const last = throttle.begin('admin', '10.0.0.5');
  expect(() => throttle.begin('admin', '10.0.0.5')).toThrow();
  last.withdrawn();
  throttle.begin('admin', '10.0.0.5').right();
});

test('an address has a few tries in progress at once, whatever names it tries', () => {
  const throttle = new LoginThrottle(fakeClock());
  const running = Array.from({ length: 4 }, (_, i) => throttle.begin(`name${i}`, '10.0.0.5'));
  expect(() => throttle.begin('another', '10.0.0.5')).toThrow(expect.objectContaining({ retryAfterS: 1 }));
  throttle.begin('another', '10.0.0.6').right();
  running[0]?.right();
  throttle.begin('another', '10.0.0.5').right();
});

test('what is remembered is bounded', () => {
  const throttle = new LoginThrottle(fakeClock());
  for (let i = 0; i < 20_000; i++) throttle.begin(`name${i}`, '10.0.0.5').wrong();
  expect(throttle.remembered).toBe(10_000);
});

test.each([
  ['192.168.1.5', '192.168.1.5'],
  ['::ffff:192.168.1.5', '192.168.1.5'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:bbbb:cccc:dddd:1', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s belongs to %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
