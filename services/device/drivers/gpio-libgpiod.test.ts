import { driverContract } from '@ledge/sdk/testing.ts';
import { expect, test } from 'vitest';
import { button, lamp, pi5 } from './gpio-worlds.ts';
import { never, open, RecordingSink } from './test-tools.ts';

driverContract('gpio by libgpiod', () => {
  const { driver, env, clock } = pi5();
  return {
    driver,
    environment: env,
    properties: [
      { key: 'button', config: button },
      { key: 'lamp', config: lamp },
    ],
    settable: { key: 'lamp', value: true },
    settle: () => clock.advance(0),
  };
});

test('an input tells its level and then edges with the time that the kernel saw them', async () => {
  const { tools, processes, driver, env } = pi5();
  const sink = new RecordingSink();
  tools.wire.set('gpiochip0 17', 1);
  const contact = { datatype: 'boolean' as const, source: { bcm: 17, pull: 'up', activeLow: true, debounce: '20ms' } };
  await open(driver, { properties: { contact } }, env, sink);
  expect(processes.running('gpiomon')[0]?.args.join(' ')).toBe(
    '--banner -c gpiochip0 -C ledge -l -b pull-up -e both -p 20ms -E realtime -F %e %S 17',
  );
  tools.edge('gpiochip0', 17, 0, '1767225600.250000000');
  expect(sink.values).toEqual([
    ['contact', false],
    ['contact', true, 1767225600250],
  ]);
});

test('an output is held by gpioset, which makes way for the next value', async () => {
  const { tools, processes, driver, env } = pi5();
  const thing = await open(driver, { properties: { lamp } }, env);
  expect(tools.wire.get('gpiochip0 27')).toBe(0);
  await thing.write('lamp', true, never());
  expect(tools.wire.get('gpiochip0 27')).toBe(1);
  expect(processes.running('gpioset').map(({ args }) => args.at(-1))).toEqual(['27=1']);
  await thing.write('lamp', true, never());
  expect(processes.children.filter(({ command }) => command === 'gpioset')).toHaveLength(2);
});

test('on close the output is made safe and no child is left', async () => {
  const { tools, processes, driver, env, clock } = pi5();
  const thing = await open(driver, { properties: { button, lamp } }, env);
  await thing.write('lamp', true, never());
  await thing.close();
  expect(tools.wire.get('gpiochip0 27')).toBe(0);
  expect(processes.children.filter(({ running }) => running)).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test('a gpiomon that dies is a fault, and is started again after waits that grow', async () => {
  const { tools, clock, processes, driver, env } = pi5();
  const sink = new RecordingSink();
  await open(driver, { properties: { button } }, env, sink);
  processes.running('gpiomon')[0]?.exit(1, 'gpiomon: error reading line events: No such device\n');
  await clock.advance(999);
  expect(sink.faults).toEqual([['button', 'GPIO line 17 of pinctrl-bcm2711 is not there any more']]);
  expect(processes.running('gpiomon')).toHaveLength(0);
  tools.wire.set('gpiochip0 17', 0);
  await clock.advance(1);
  expect(processes.running('gpiomon')).toHaveLength(1);
  expect(sink.values.at(-1)).toEqual(['button', true]);

  processes.running('gpiomon')[0]?.exit(1);
  await clock.advance(1999);
  expect(processes.running('gpiomon')).toHaveLength(0);
  await clock.advance(1);
  expect(processes.running('gpiomon')).toHaveLength(1);
});

test('a gpioset that dies is set again to the present value', async () => {
  const { tools, clock, processes, driver, env } = pi5();
  const sink = new RecordingSink();
  const thing = await open(driver, { properties: { lamp } }, env, sink);
  await thing.write('lamp', true, never());
  tools.wire.set('gpiochip0 27', 0);
  processes.running('gpioset')[0]?.exit(1);
  await clock.advance(1000);
  expect(tools.wire.get('gpiochip0 27')).toBe(1);
  expect(sink.faults).toHaveLength(1);
  expect(sink.values.at(-1)).toEqual(['lamp', true]);
});

test('a tool that cannot come back is tried less and less often, and closing ends that', async () => {
  const { tools, clock, processes, driver, env } = pi5();
  const sink = new RecordingSink();
  const thing = await open(driver, { properties: { button } }, env, sink);
  tools.chips.splice(0);
  processes.running('gpiomon')[0]?.exit(1, 'gpiomon: error reading line events: No such device\n');
  await clock.advance(1000 + 2000 + 4000);
  expect(sink.faults).toHaveLength(4);
  await thing.close();
  expect(clock.pendingTimers).toBe(0);
});

test('lines have names too', async () => {
  const { tools, driver, env } = pi5();
  const sink = new RecordingSink();
  await open(driver, { properties: { p: { datatype: 'boolean', source: { line: 'GPIO22' } } } }, env, sink);
  tools.edge('gpiochip0', 'GPIO22', 1);
  expect(sink.values.map(([, value]) => value)).toEqual([false, true]);
});

test('a line that is held already is explained', async () => {
  const { processes, driver, env } = pi5();
  processes.spawn('gpioset', ['-c', 'gpiochip0', '27=1']);
  await expect(open(driver, { properties: { lamp } }, env)).rejects.toThrow(
    /GPIO line 27 of pinctrl-bcm2711 is used by the kernel or another/,
  );
});

test('version 1 of the tools is refused with its number', async () => {
  const { driver, env } = pi5('v1.6.3');
  expect(await driver.unavailable(env)).toContain('the libgpiod tools are version 1.6.3; version 2 or later is wanted');
  await expect(open(driver, { properties: { lamp } }, env)).rejects.toMatchObject({ code: 'driver-unavailable' });
});
