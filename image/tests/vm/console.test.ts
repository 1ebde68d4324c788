import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { afterAll, expect, test } from 'vitest';
import { Console } from './console.ts';

const folder = mkdtempSync(join(tmpdir(), 'ledge-console-'));
afterAll(() => rmSync(folder, { recursive: true }));
let logs = 0;
const consoleOf = (stream: PassThrough) => new Console(stream, join(folder, `log-${++logs}`), () => 0);

test('lines come without colours, however the bytes were cut', async () => {
  const port = new PassThrough();
  const serial = consoleOf(port);
  const waiting = serial.wait(/Started/, 1000);
  for (const part of ['[  \x1b[0;32mO', 'K\x1b[0m  ] Star', 'ted t', 'hing\r\nnext']) port.write(part);
  expect((await waiting).text).toBe('[  OK  ] Started thing');
  expect(serial.text()).toBe('[  OK  ] Started thing\nnext');
});

test('a prompt is a line that does not end', async () => {
  const port = new PassThrough();
  const serial = consoleOf(port);
  port.write('login: ');
  expect((await serial.wait(/login: $/, 1000, { prompt: true })).text).toBe('login: ');
});

test('what was said before `from` does not count', async () => {
  const port = new PassThrough();
  const serial = consoleOf(port);
  port.write('ready 1\n');
  await serial.wait(/ready/, 1000);
  const again = serial.wait(/ready/, 1000, { from: serial.lines.length });
  port.write('ready 2\n');
  expect((await again).text).toBe('ready 2');
});

test('a wait in vain ends with the last lines and the name of the log', async () => {
  const port = new PassThrough();
  const serial = consoleOf(port);
  port.write('Kernel panic\n');
  await serial.wait(/panic/, 1000);
  await expect(serial.wait(/ready/, 10)).rejects.toThrow(/within 0.01 s; it ended with\n {2}Kernel panic\nall of it: .*log-4/);
  port.destroy();
  await finished(port).catch(() => {});
  await expect(serial.wait(/ready/, 1000)).rejects.toThrow(/before it closed/);
  expect(readFileSync(serial.logFile, 'utf8')).toContain('Kernel panic');
});
