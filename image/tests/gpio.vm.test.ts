import type { ThingView } from '@ledge/contract';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type BoardAppliance, takeBoard } from './vm/appliance.ts';

/** The chip of QEMU's `virt` board (ARM PL061, 8 lines). Since Linux 6.6 its numbers begin at 512, as they do on a Pi. */
const LINE = { set: 1, read: 2, base: 512 };
const NUMBER = LINE.base + LINE.set;
const WITHIN_MS = 60_000;
let board: BoardAppliance;
let label = '';

const yaml = () => `driver: gpio
options: { chip: ${label}, method: sysfs }
properties:
  relay: { datatype: boolean, settable: true, source: { line: ${LINE.set} } }
  contact: { datatype: boolean, source: { line: ${LINE.read} } }
`;

const set = async (value: boolean) =>
  (await board.api<{ outcome: string }>('PUT', '/api/device/things/pins/main/relay', { value })).body.outcome;
const level = () => board.sh(`cat /sys/class/gpio/gpio${NUMBER}/value`);
const kernelsView = async () =>
  (await board.sh('mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug; cat /sys/kernel/debug/gpio'))
    .split('\n')
    .find((line) => line.includes(`gpio-${LINE.set} `));

beforeAll(async () => {
  const handle = inject('board');
  if (!handle) throw new Error('this suite has no board');
  board = await takeBoard(handle, {});
  label = await board.sh(`cat /sys/class/gpio/gpiochip${LINE.base}/label`);
  await board.dropThing('pins.yaml', yaml());
  await until('the thing', async () => (await board.api<ThingView>('GET', '/api/device/things/pins')).body.state === 'ready', WITHIN_MS);
});
afterAll(() => board?.stop());

test('a chip whose numbers begin at 512: a command sets the line that was meant', async () => {
  expect(await set(true)).toBe('acknowledged');
  expect(await level()).toBe('1');
  expect(await kernelsView()).toMatch(/out hi/);
  expect(await set(false)).toBe('acknowledged');
  expect(await level()).toBe('0');
  expect(await kernelsView()).toMatch(/out lo/);
});

test('an input is read', async () => {
  const there = await board.sh(`cat /sys/class/gpio/gpio${LINE.base + LINE.read}/{direction,value}`);
  const { body } = await board.api<ThingView>('GET', '/api/device/things/pins');
  expect(there.split('\n')).toEqual(['in', expect.stringMatching(/[01]/)]);
  expect(JSON.stringify(body)).toContain('"contact"');
});

test('a thing taken away gives its lines back', async () => {
  expect((await board.api('DELETE', '/api/device/things/pins')).status).toBe(204);
  await until(
    'the line',
    async () => (await board.sh(`ls -d /sys/class/gpio/gpio${NUMBER} 2>/dev/null || echo gone`)) === 'gone',
    WITHIN_MS,
  );
});
