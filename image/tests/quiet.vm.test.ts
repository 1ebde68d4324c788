import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failedUnits, journalLines } from './vm/ask.ts';
import { commandsOfBox, commandsOfInitramfs } from './vm/commands.ts';
import { readyBox } from './vm/held-box.ts';
import type { Machine } from './vm/machine.ts';

/** `EDGE_IDLE_MINUTES` shortens the wait while working on this test. */
const IDLE_MINUTES = Number(process.env.EDGE_IDLE_MINUTES ?? 15);
/** What the start itself still writes is no idle writing. */
const SETTLE_MS = 60_000;
const SECTOR = 512;
let box: Machine;

beforeAll(async () => {
  box = await readyBox('quiet');
  await box.sh('systemctl is-system-running --wait || true', { seconds: 300 });
});
afterAll(() => box?.remove());

test('no unit failed, and there is no ordering cycle', async () => {
  expect(await failedUnits(box)).toEqual([]);
  expect(await journalLines(box, /ordering cycle|deleted to break/i)).toEqual([]);
  expect(await box.sh('systemctl is-system-running')).toBe('running');
});

test('nothing was denied', async () => {
  const denied = await journalLines(box, /denied|not permitted|not authori[sz]ed|EACCES|EPERM|read-only file system|avc:|type=1326/i, [
    // the kernel's own words about a feature that a virtual machine has not
    /kernel: (kvm|hw perfevents)/,
  ]);
  expect(denied).toEqual([]);
});

test('nothing is said at the level of an error', async () => {
  const errors = (await box.sh('journalctl --boot --no-pager --priority=err --output=short-monotonic')).split('\n');
  expect(errors.filter((line) => line !== '' && line !== '-- No entries --')).toEqual([]);
});

test('the root cannot be written, not even by root', async () => {
  expect((await box.exec('touch /usr/lib/ledge/x')).err).toMatch(/Read-only file system/);
  expect((await box.exec('mount -o remount,rw / && touch /usr/lib/ledge/x')).code).not.toBe(0);
  const writable = await box.sh('findmnt --noheadings --raw --types ext4,vfat,squashfs,overlay --options rw --output TARGET,SOURCE');
  expect(writable.split('\n').sort()).toEqual(['/etc overlay', '/var /dev/vda4']);
});

test('every command that our scripts call is there', async () => {
  const { missing, count } = await commandsOfBox(box);
  console.log(`${count} commands of our scripts and programs are looked for in the root`);
  expect(count).toBeGreaterThan(30);
  expect(missing).toEqual([]);
  expect(await commandsOfInitramfs(box)).toEqual([]);
});

test(`nothing but the data partition is written in ${IDLE_MINUTES} idle minutes`, { timeout: (IDLE_MINUTES + 10) * 60_000 }, async () => {
  await setTimeout(SETTLE_MS);
  const before = await writtenBytes(box);
  await setTimeout(IDLE_MINUTES * 60_000); // the quiet itself is what is measured
  const after = await writtenBytes(box);
  const written = Object.fromEntries(Object.entries(after).map(([name, bytes]) => [name, bytes - (before[name] ?? 0)]));
  const { data = 0, ...others } = written;
  const perDay = (data / IDLE_MINUTES) * 60 * 24;
  console.log(
    `${IDLE_MINUTES} idle minutes wrote ${Math.round(data / 1024)} KiB to the data partition (${(perDay / 2 ** 20).toFixed(1)} MiB a day)`,
  );
  expect(others).toEqual({ boot: 0, state: 0, 'slot-a': 0, 'slot-b': 0 });
});

/** Bytes that the kernel has written since its start, by partition (block/stat.rst, field 7). */
async function writtenBytes(machine: Machine): Promise<Record<string, number>> {
  const text = await machine.sh(
    'sync; for name in boot state slot-a slot-b data; do read -r _ _ _ _ _ _ sectors _ </sys/class/block/$(basename $(realpath /dev/ledge/$name))/stat; echo "$name $sectors"; done',
  );
  return Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name = '', sectors]) => [name, Number(sectors) * SECTOR]),
  );
}
