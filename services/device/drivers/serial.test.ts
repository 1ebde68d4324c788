import { driverContract } from '@ledge/sdk/testing.ts';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { serialDriver } from './serial.ts';
import type { OpenSerialPort } from './serial-port.ts';
import { environment, never, open, RecordingSink } from './test-tools.ts';

/** A port at the level of bytes: a test speaks, listens, and pulls the plug. */
class FakePort {
  readonly sent: string[] = [];
  readonly opened: { path: string; baud: number }[] = [];
  plugged = true;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #gone = Promise.withResolvers<void>();

  readonly open: OpenSerialPort = async (path, baud, onData) => {
    if (!this.plugged) throw new Error(`${path} is not there; is it plugged in?`);
    this.opened.push({ path, baud });
    this.#gone = Promise.withResolvers<void>();
    this.#onData = onData;
    const { promise, resolve } = this.#gone;
    return {
      gone: promise,
      write: async (bytes) => void this.sent.push(Buffer.from(bytes).toString()),
      close: async () => resolve(),
    };
  };
  say(bytes: string | Uint8Array): void {
    this.#onData?.(Buffer.from(bytes));
  }
  pull(): void {
    this.plugged = false;
    this.#gone.resolve();
  }
}

const PATH = '/dev/ttyUSB0';
const temperature = { temp: { datatype: 'float' as const } };

function world() {
  const port = new FakePort();
  const clock = fakeClock();
  const sink = new RecordingSink();
  return { port, clock, sink, driver: serialDriver(() => port.open, 'linux'), env: environment({ clock }) };
}

driverContract('serial with key=value lines', () => {
  const { port, clock, driver, env } = world();
  return {
    driver,
    environment: env,
    options: { path: PATH, format: 'keyvalue' as const },
    properties: [
      { key: 'main/temp', config: temperature.temp },
      { key: 'main/window', config: { datatype: 'boolean' as const, settable: true, source: { write: 'window {value}' } } },
    ],
    settable: { key: 'main/window', value: true },
    settle: async () => {
      port.say('temp=21.5 hum=40\r\n');
      await clock.advance(0);
    },
  };
});

test.each([
  ['json', {}, 'temp', '{"temp": 21.5}'],
  ['json', {}, 'sensors[0].t', '{"sensors":[{"t":21.5}]}'],
  ['csv', {}, 2, '17, 21.5, 40'],
  ['csv', { separator: ';' }, 1, '21.5;40'],
  ['keyvalue', {}, undefined, 'hum:40, temp:21.5'],
  ['regex', { pattern: 'T=(?<celsius>-?[\\d.]+)C' }, 'celsius', 'ok T=21.5C H=40'],
  ['regex', { pattern: 'T=(-?[\\d.]+)C' }, undefined, 'ok T=21.5C H=40'],
])('reads a field of a %s line', async (format, more, value, line) => {
  const { port, sink, driver, env } = world();
  const source = value === undefined ? {} : { value };
  await open(driver, { options: { path: PATH, format, ...more }, properties: { temp: { datatype: 'float', source } } }, env, sink);
  port.say(`${line}\n`);
  expect(sink.values).toEqual([['temp', 21.5]]);
});

test('lines come in pieces, with noise between them, and over-long ones are dropped', async () => {
  const { port, sink, driver, env } = world();
  await open(driver, { options: { path: PATH, format: 'keyvalue', baud: 115200 }, properties: temperature }, env, sink);
  port.say('temp=2');
  port.say('1.5\r');
  port.say('\n');
  port.say(Uint8Array.of(0xff, 0x00, 0x9f, 0x0a));
  port.say('x'.repeat(5000));
  port.say('temp=99\n');
  port.say('temp=22.5\n');
  expect(sink.values.map(([, value]) => value)).toEqual([21.5, 22.5]);
  expect(sink.faults).toEqual([]);
  expect(port.opened).toEqual([{ path: PATH, baud: 115200 }]);
});

test('a port that is unplugged is away until it is plugged in again', async () => {
  const { port, clock, sink, driver, env } = world();
  await open(driver, { options: { path: PATH, format: 'keyvalue' }, properties: temperature }, env, sink);
  port.say('temp=2');
  port.pull();
  await clock.advance(1000 + 2000);
  expect(sink.states).toEqual(['disconnected']);
  expect(sink.faults).toEqual([['temp', '/dev/ttyUSB0 was unplugged']]);
  port.plugged = true;
  await clock.advance(4000);
  expect(sink.states).toEqual(['disconnected', 'ready']);
  // half a line from before is not glued to the first one after
  port.say('1.5\ntemp=23\n');
  expect(sink.values).toEqual([['temp', 23]]);
});

test('a port that is missing at first is waited for', async () => {
  const { port, clock, sink, driver, env } = world();
  port.plugged = false;
  const thing = await open(driver, { options: { path: PATH }, properties: temperature }, env, sink);
  expect(sink.faults).toEqual([['temp', '/dev/ttyUSB0 is not there; is it plugged in?']]);
  await clock.advance(60_000);
  expect(sink.faults).toHaveLength(1);
  port.plugged = true;
  await clock.advance(60_000);
  expect(sink.states).toEqual(['disconnected', 'ready']);
  await thing.close();
  expect(clock.pendingTimers).toBe(0);
});

test('a command is one line in the device’s words', async () => {
  const { port, driver, env } = world();
  const window = { datatype: 'boolean' as const, settable: true, source: { on: 'open', off: 'shut', write: 'window {value}' } };
  const thing = await open(driver, { options: { path: PATH, format: 'keyvalue', lineEnd: 'crlf' }, properties: { window } }, env);
  expect(await thing.write('window', true, never())).toBe(true);
  expect(port.sent).toEqual(['window open\r\n']);
});

test('a value cannot bring a second command with it', async () => {
  const { port, driver, env } = world();
  const text = { datatype: 'string' as const, settable: true, source: { write: 'show {value}' } };
  const thing = await open(driver, { options: { path: PATH }, properties: { text } }, env);
  await expect(thing.write('text', 'hi\nreset', never())).rejects.toMatchObject({ code: 'command-rejected' });
  expect(port.sent).toEqual([]);
});

test('a command to a port that is away is refused at once', async () => {
  const { port, driver, env } = world();
  port.plugged = false;
  const window = { datatype: 'boolean' as const, settable: true, source: { write: 'w {value}' } };
  const thing = await open(driver, { options: { path: PATH }, properties: { window } }, env);
  await expect(thing.write('window', true, never())).rejects.toThrow('/dev/ttyUSB0 is not connected; window cannot be set now');
});

test('a value that does not fit is a fault, and a field that never comes is one after twenty lines', async () => {
  const { port, sink, driver, env } = world();
  const properties = { ...temperature, pressure: { datatype: 'float' as const } };
  await open(driver, { options: { path: PATH, format: 'keyvalue' }, properties }, env, sink);
  port.say('temp=nan\n');
  for (let i = 0; i < 30; i++) port.say('temp=21\n');
  expect(sink.faults).toEqual([
    ['temp', 'the value is "nan"; a number is wanted'],
    ['pressure', 'No line has the field pressure (keyvalue); the last of 20 lines was "temp=21"'],
  ]);
});

test('a pattern that would take for ever is stopped, and given up when it does so again and again', async () => {
  const { port, sink, driver, env } = world();
  await open(driver, { options: { path: PATH, format: 'regex', pattern: '^((?:\\w+)+)=$' }, properties: temperature }, env, sink);
  const slow = `${'a'.repeat(60)}!\n`;
  port.say(slow);
  port.say('1=\n');
  expect(sink.values).toEqual([['temp', 1]]);
  port.say(slow.repeat(3));
  port.say('2=\n');
  expect(sink.values).toEqual([['temp', 1]]);
  expect(sink.faults[0]?.[1]).toMatch(/^The pattern .* takes longer than 50 ms for one line/);
});

test('only ports are opened, and patterns must be patterns', () => {
  const { options } = world().driver;
  for (const path of ['/etc/passwd', '/dev/../etc/passwd', 'COM3', '/dev/tty USB0', '-F']) {
    expect(options.safeParse({ path }).success, path).toBe(false);
  }
  expect(options.safeParse({ path: '/dev/serial/by-id/usb-Arduino__www.arduino.cc__0043-if00' }).success).toBe(true);
  expect(options.safeParse({ path: PATH, format: 'regex', pattern: '(' }).success).toBe(false);
  expect(options.safeParse({ path: PATH, format: 'regex', pattern: 'a'.repeat(201) }).success).toBe(false);
  expect(options.safeParse({ path: PATH, pattern: 'a' }).success).toBe(false);
});

test('Windows is told why there are no serial things', async () => {
  const driver = serialDriver(undefined, 'win32');
  expect(await driver.unavailable(environment())).toContain('Windows');
  await expect(open(driver, { options: { path: PATH }, properties: temperature }, environment())).rejects.toMatchObject({
    code: 'driver-unavailable',
  });
});
