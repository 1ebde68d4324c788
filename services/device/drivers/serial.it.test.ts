import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { systemClock } from '@ledge/kit';
import { expect, onTestFinished, test } from 'vitest';
import { systemProcesses } from '../processes.ts';
import { serial } from './serial.ts';
import { ttyPorts } from './serial-port.ts';
import { environment, never, open, RecordingSink } from './test-tools.ts';

/** Two pseudo terminals, joined: what one says the other hears. */
async function terminals(): Promise<{ socat: ChildProcess; ours: string; device: string }> {
  const socat = spawn('socat', ['-d', '-d', 'pty,raw,echo=0', 'pty,raw,echo=0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    if (socat.exitCode === null && socat.signalCode === null && socat.kill()) await once(socat, 'exit');
  });
  let said = '';
  for await (const chunk of socat.stderr ?? []) {
    said += chunk;
    const [ours, device] = [...said.matchAll(/PTY is (\S+)/g)].map(([, path]) => path);
    if (ours && device && said.includes('starting data transfer loop')) {
      socat.stderr?.resume();
      return { socat, ours, device };
    }
  }
  throw new Error(`socat ended: ${said}`);
}
async function deviceAt(path: string): Promise<FileHandle> {
  const device = await openFile(path, 'r+');
  onTestFinished(() => device.close());
  return device;
}
const terminalsOpen = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/dev/pts/');
    } catch {
      return false;
    }
  }).length;

const properties = {
  temp: { datatype: 'float' as const },
  led: { datatype: 'boolean' as const, settable: true, source: { on: 'on', off: 'off', write: 'led {value}' } },
};
const real = () => environment({ clock: systemClock, processes: systemProcesses, root: '/' });

test('a real terminal is heard, and told commands', async () => {
  const { ours, device } = await terminals();
  const arduino = await deviceAt(device);
  const sink = new RecordingSink();
  const thing = await open(serial, { options: { path: ours, baud: 115200, format: 'keyvalue' }, properties }, real(), sink);

  await arduino.write('temp=21.5\r\n');
  await sink.until(() => sink.values.length === 1);
  expect(sink.values).toEqual([['temp', 21.5]]);

  await thing.write('led', true, never());
  const { buffer, bytesRead } = await arduino.read(Buffer.alloc(100), 0, 100);
  expect(buffer.subarray(0, bytesRead).toString()).toBe('led on\n');
});

test('a real terminal that goes away is noticed, and nothing of it stays open', async () => {
  const before = terminalsOpen();
  const { socat, ours } = await terminals();
  const sink = new RecordingSink();
  const thing = await open(serial, { options: { path: ours, format: 'keyvalue' }, properties }, real(), sink);
  expect(terminalsOpen()).toBeGreaterThan(before);
  socat.kill();
  await sink.until(() => sink.states.includes('disconnected'));
  await thing.close();
  expect(terminalsOpen()).toBe(before);
});

test('the speed is really set', async () => {
  const { ours } = await terminals();
  const port = await ttyPorts(systemProcesses)(ours, 57600, () => {});
  const asked = systemProcesses.spawn('stty', ['-F', ours, 'speed']);
  const said: string[] = [];
  asked.onLine((line) => said.push(line));
  await asked.ended;
  await port.close();
  expect(said).toEqual(['57600']);
});

test('a port that is not there, and a file that is no port, are told', async () => {
  const ports = ttyPorts(systemProcesses);
  await expect(ports('/dev/ttyLedgeMissing', 9600, () => {})).rejects.toThrow('/dev/ttyLedgeMissing is not there; is it plugged in?');
  await expect(ports('/dev/null', 9600, () => {})).rejects.toThrow(/\/dev\/null cannot be set to 9600 baud: .*Inappropriate ioctl/);
});
