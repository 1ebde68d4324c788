import { driverContract, fakeProcesses } from '@ledge/sdk/testing.ts';
import { describe, expect, test } from 'vitest';
import { FakeKernelLines, FakeLibgpiod } from './fake-gpio.ts';
import { gpioDriver } from './gpio.ts';
import { chooseChip } from './gpio-lines.ts';
import { button, CHIPS, lamp, PI4, pi4, pi5 } from './gpio-worlds.ts';
import { environment, never, open, RecordingSink, tree } from './test-tools.ts';

driverContract('gpio by onoff', async () => {
  const { driver, env, clock } = await pi4();
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
describe('by onoff', () => {
  test('BCM 17 is line 529 where the chip begins at 512', async () => {
    const { kernel, driver, env } = await pi4();
    await open(driver, { properties: { button } }, env);
    expect([...kernel.exported.keys()]).toEqual([529]);
  });

  test('BCM 17 is line 17 on an older kernel, where the chip begins at 0', async () => {
    const kernel = new FakeKernelLines();
    const root = await tree({
      'sys/class/gpio/export': '',
      'sys/class/gpio/gpiochip0/label': 'pinctrl-bcm2835\n',
      'sys/class/gpio/gpiochip0/base': '0\n',
      'sys/class/gpio/gpiochip0/ngpio': '54\n',
    });
    await open(
      gpioDriver(async () => kernel.gpioClass(0, 53)),
      { properties: { button } },
      environment({ root }),
    );
    expect([...kernel.exported.keys()]).toEqual([17]);
  });

  test('an input tells its level at first and then each change, with low as true when it is active low', async () => {
    const { kernel, driver, env } = await pi4();
    const sink = new RecordingSink();
    kernel.wire.set(529, 1);
    await open(driver, { properties: { button } }, env, sink);
    kernel.edge(529, 0);
    kernel.edge(529, 1);
    expect(sink.values.map(([, value]) => value)).toEqual([false, true, false]);
  });

  test('a contact that bounces is told once, after it has come to rest', async () => {
    const { kernel, clock, driver, env } = await pi4();
    const sink = new RecordingSink();
    await open(driver, { properties: { contact: { datatype: 'integer', source: { bcm: 4, debounce: '20ms' } } } }, env, sink);
    for (const level of [1, 0, 1, 0, 1] as const) {
      kernel.edge(516, level);
      await clock.advance(5);
    }
    expect(sink.values).toEqual([['contact', 0]]);
    await clock.advance(15);
    expect(sink.values).toEqual([
      ['contact', 0],
      ['contact', 1],
    ]);
    kernel.edge(516, 0);
    await clock.advance(5);
    kernel.edge(516, 1);
    await clock.advance(100);
    expect(sink.values).toHaveLength(2);
  });

  test('a button press is a happening: only its rising edges are told, and not its first level', async () => {
    const { kernel, driver, env } = await pi4();
    const sink = new RecordingSink();
    const press = { datatype: 'boolean' as const, retained: false, source: { bcm: 5, edge: 'rising' } };
    await open(driver, { properties: { press } }, env, sink);
    kernel.edge(517, 1);
    kernel.edge(517, 0);
    kernel.edge(517, 1);
    expect(sink.values).toEqual([
      ['press', true],
      ['press', true],
    ]);
  });

  test('an enum of two words stands for low and high', async () => {
    const { kernel, driver, env } = await pi4();
    const sink = new RecordingSink();
    const door = { datatype: 'enum' as const, values: ['closed', 'open'], source: { bcm: 6 } };
    const valve = { datatype: 'enum' as const, values: ['shut', 'flowing'], settable: true, source: { bcm: 7 } };
    const thing = await open(driver, { properties: { door, valve } }, env, sink);
    kernel.edge(518, 1);
    await thing.write('valve', 'flowing', never());
    expect(sink.values).toEqual([
      ['door', 'closed'],
      ['valve', 'shut'],
      ['door', 'open'],
    ]);
    expect(kernel.wire.get(519)).toBe(1);
  });

  test('an active-low output never flashes when it is opened, and is safe and given back when it is closed', async () => {
    const { kernel, driver, env } = await pi4();
    const relay = { datatype: 'boolean' as const, settable: true, source: { bcm: 22, activeLow: true, safe: false } };
    const thing = await open(driver, { properties: { relay } }, env);
    await thing.write('relay', true, never());
    await thing.close();
    expect(kernel.written).toEqual([
      [534, 1],
      [534, 0],
      [534, 1],
    ]);
    expect(kernel.exported.size).toBe(0);
  });

  test('without a safe value an output stays as it is when it is closed', async () => {
    const { kernel, driver, env } = await pi4();
    const relay = { datatype: 'boolean' as const, settable: true, source: { bcm: 22, initial: true } };
    await (await open(driver, { properties: { relay } }, env)).close();
    expect(kernel.written).toEqual([[534, 1]]);
  });

  test('a line that somebody exported before is taken over', async () => {
    const { driver, kernel, env } = await pi4({ ...PI4, 'sys/class/gpio/gpio529/value': '0\n' });
    await open(driver, { properties: { button } }, env);
    expect(kernel.exported.has(529)).toBe(true);
  });

  test('a line that cannot be turned to the wanted direction is refused and given back', async () => {
    const { kernel, driver, env } = await pi4();
    kernel.stuck.set(539, 'in');
    await expect(open(driver, { properties: { lamp } }, env)).rejects.toThrow(/GPIO line 27 of pinctrl-bcm2711 is used by the kernel/);
    expect(kernel.exported.size).toBe(0);
  });

  test.each([
    ['EBUSY', 'driver-unavailable', 'is used by the kernel or another program'],
    ['EACCES', 'driver-unavailable', 'has to be in the group gpio'],
    ['EINVAL', 'thing-invalid', 'is not known to the kernel'],
  ])('%s is explained in a sentence, and lines opened before are given back', async (errno, code, sentence) => {
    const { kernel, driver, env } = await pi4();
    kernel.broken.set(539, errno);
    await expect(open(driver, { properties: { button, lamp } }, env)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(sentence),
    });
    expect(kernel.exported.size).toBe(0);
  });

  test('two things cannot share a line, and it is free again when the first is closed', async () => {
    const { driver, env } = await pi4();
    const first = await open(driver, { properties: { button } }, env);
    await expect(open(driver, { properties: { button } }, env)).rejects.toThrow(
      'GPIO line 17 of pinctrl-bcm2711 is used by the thing thing already',
    );
    await first.close();
    await open(driver, { properties: { button } }, env);
  });
});

describe('choosing', () => {
  test('libgpiod is taken for a pull resistor also where sysfs is there', async () => {
    const { kernel, env } = await pi4();
    const tools = new FakeLibgpiod(CHIPS);
    const processes = fakeProcesses(tools.programs);
    const driver = gpioDriver(async () => kernel.gpioClass(512, 577));
    await open(driver, { properties: { p: { datatype: 'boolean', source: { bcm: 17, pull: 'down' } } } }, { ...env, processes });
    expect(kernel.exported.size).toBe(0);
    expect(processes.running('gpiomon')).toHaveLength(1);
  });

  test('where onoff cannot be loaded libgpiod is taken', async () => {
    const { env } = await pi4();
    const processes = fakeProcesses(new FakeLibgpiod(CHIPS).programs);
    const driver = gpioDriver(() => Promise.reject(new Error('no native build of epoll')));
    await open(driver, { properties: { button } }, { ...env, processes });
    expect(processes.running('gpiomon')).toHaveLength(1);
  });

  test('a machine whose tools find no chip has no GPIO', async () => {
    const processes = fakeProcesses(new FakeLibgpiod([]).programs);
    expect(await gpioDriver().unavailable(environment({ processes }))).toContain('gpiodetect finds no chip that it may use');
  });

  test('where there is neither, both reasons are told', async () => {
    const driver = gpioDriver();
    expect(await driver.unavailable(environment())).toBe(
      'This machine has no GPIO that can be used: /sys/class/gpio/export is missing (a kernel without GPIO sysfs), ' +
        'and the libgpiod tools (Debian package gpiod) are not installed',
    );
  });

  test('a chip is chosen by its label or name, else by the header, else when it is the only one', () => {
    const [header, expander] = CHIPS;
    const pl061 = { name: 'gpiochip512', label: '9030000.pl061', lines: 8 };
    expect(chooseChip(CHIPS, undefined, 17)).toBe(header);
    expect(chooseChip(CHIPS, 'raspberrypi-exp-gpio', 3)).toBe(expander);
    expect(chooseChip(CHIPS, 'gpiochip1', 3)).toBe(expander);
    expect(chooseChip([pl061], undefined, 3)).toBe(pl061);
    expect(chooseChip([{ name: 'gpiochip0', label: 'sim', lines: 4 }], undefined, 0).label).toBe('sim');
    expect(() => chooseChip([pl061], undefined, 17)).toThrow(
      'GPIO line 17 is wanted, but gpiochip512 (9030000.pl061) has the lines 0 to 7',
    );
    expect(() => chooseChip(CHIPS, 'nothing', 1)).toThrow(
      /source\.chip is nothing; one of these chips is wanted: gpiochip0 \(pinctrl-bcm2711/,
    );
    const two = ['a', 'b'].map((label, i) => ({ name: `gpiochip${i}`, label, lines: 32 }));
    expect(() => chooseChip(two, undefined, 1)).toThrow(/source\.chip is wanted, one of: gpiochip0 \(a, 32 lines\), gpiochip1 \(b/);
  });

  test.each([
    [{ datatype: 'string', source: { bcm: 1 } }, 'p.datatype is string; boolean, integer or an enum of two values is wanted'],
    [{ datatype: 'boolean', settable: true, source: { bcm: 1, direction: 'in' } }, 'p.settable is true, but source.direction is in'],
    [{ datatype: 'boolean', settable: true, source: { bcm: 1, edge: 'rising' } }, 'p.source.edge is "rising"; it belongs to an input'],
    [{ datatype: 'boolean', source: { bcm: 1, safe: true } }, 'p.source.safe is true; it belongs to an output'],
  ] as const)('what does not fit together is a mistake in the thing: %j', async (p, sentence) => {
    const { driver, env } = pi5();
    await expect(open(driver, { properties: { p: { ...p } } }, env)).rejects.toMatchObject({
      code: 'thing-invalid',
      message: expect.stringContaining(sentence),
    });
  });

  test('a line name cannot be mistaken for an option of a tool', () => {
    const { source } = gpioDriver();
    for (const line of ['--help', '-c', 'a=1', '']) expect(source.safeParse({ line }).success, line).toBe(false);
  });
});
