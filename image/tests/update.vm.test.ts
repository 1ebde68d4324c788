import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../run.ts';
import { makeBundle } from '../update/bundle.ts';
import { signingKeys } from '../update/keys.ts';
import { bootFacts, failedUnits, identityOf, slotVariables } from './vm/ask.ts';
import { newBox } from './vm/box.ts';
import { built } from './vm/built.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';

const INSTALLS_WITHIN_S = 600;
const TRIES = 3;
let folder: string;
let box: Machine;
let identity: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledge-bundles-'));
  const drive = await bundlesDrive();
  box = await newBox('update', { drives: [drive] });
  await box.powerOn();
  await box.up();
  await box.shell();
  identity = await identityOf(box);
  await box.sh('mkdir -p /run/bundles && mount -o ro /dev/disk/by-id/virtio-more0 /run/bundles');
});
afterAll(async () => {
  await box?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A disk with two bundles: the build's own, and one whose kernel finds no root and so panics. */
async function bundlesDrive(): Promise<string> {
  const content = join(folder, 'content');
  mkdirSync(content);
  await copyFile(built('bundle'), join(content, 'good.raucb'));
  const slot = join(folder, 'slot.img');
  await copyFile(built('slot'), slot);
  writeFileSync(join(folder, 'initrd.img'), 'this is no archive\n');
  writeFileSync(join(folder, 'commands'), `rm initrd.img\nwrite ${join(folder, 'initrd.img')} initrd.img\n`);
  await run('debugfs', ['-w', '-f', join(folder, 'commands'), slot]);
  await makeBundle({ slot, version: '9.9.9', build: 'panics', out: join(content, 'panics.raucb'), keys: await signingKeys() });
  const drive = join(folder, 'bundles.img');
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', content, drive, '900M']);
  return drive;
}

interface RaucStatus {
  compatible: string;
  booted: string;
  boot_primary: string;
  slots: Record<string, { state: string; bootname: string; boot_status: string; device: string }>[];
}
const raucStatus = async () => JSON.parse(await box.sh('rauc status --output-format=json')) as RaucStatus;
const install = (bundle: string) => box.sh(`rauc install /run/bundles/${bundle}`, { seconds: INSTALLS_WITHIN_S });
async function restart(): Promise<void> {
  const from = box.qmp.events.length;
  await box.sh('systemctl --no-block reboot');
  await box.qmp.wait('RESET', 120_000, from);
}

test('rauc knows both slots and which one runs', async () => {
  const status = await raucStatus();
  expect(status).toMatchObject({ compatible: 'ledge-arm64', booted: 'A', boot_primary: 'system.0' });
  const slots = status.slots.flatMap((slot) => Object.values(slot));
  expect(slots.map(({ bootname, state, device }) => [bootname, state, device]).sort()).toEqual([
    ['A', 'booted', '/dev/ledge/slot-a'],
    ['B', 'inactive', '/dev/ledge/slot-b'],
  ]);
  expect(slots.find(({ bootname }) => bootname === 'A')?.boot_status).toBe('good');
});

test('a bundle that somebody else signed, or nobody, is refused', async () => {
  const { code, err, out } = await box.exec('head -c 1000000 /run/bundles/good.raucb >/run/cut.raucb; rauc install /run/cut.raucb');
  expect(code).not.toBe(0);
  expect(err + out).toMatch(/signature|invalid|failed/i);
  expect(await slotVariables(box)).toMatchObject({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '9' });
});

test(`a slot whose kernel panics: after ${TRIES} tries slot A runs again, by itself`, async () => {
  const startMs = performance.now();
  await install('panics.raucb');
  console.log(`rauc install took ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  expect(await slotVariables(box)).toMatchObject({ BOOT_ORDER: 'B A', BOOT_B_LEFT: String(TRIES) });
  const from = box.console.lines.length;
  await restart();
  await box.console.wait(/^Ledge: slot A \(fallback\)/, UP_WITHIN_MS, { from });
  const tried = box.console.lines.slice(from).filter(({ text }) => /^Ledge: slot B \(trial\)/.test(text));
  const panics = box.console.lines.slice(from).filter(({ text }) => /Kernel panic/.test(text));
  expect([tried.length, panics.length]).toEqual([TRIES, TRIES]);
  await box.shell();
  expect(await bootFacts(box)).toMatchObject({ SLOT: 'A', REASON: 'fallback', DATA: 'ok' });
});

test('the bundle of the same build: slot B runs, with the identity and data of before, and can be confirmed', async () => {
  await box.sh('mkdir -p /run/bundles && mount -o ro /dev/disk/by-id/virtio-more0 /run/bundles');
  await install('good.raucb');
  const from = box.console.lines.length;
  await restart();
  await box.console.wait(/^Ledge: slot B \(trial\)/, UP_WITHIN_MS, { from });
  await box.shell();
  await box.up();
  expect(await bootFacts(box)).toMatchObject({ SLOT: 'B', REASON: 'trial', DATA: 'ok' });
  expect(await identityOf(box)).toEqual(identity);
  expect(await failedUnits(box)).toEqual([]);
  expect((await raucStatus()).booted).toBe('B');
  await box.sh('rauc status mark-good');
  expect(await slotVariables(box)).toMatchObject({ BOOT_B_LEFT: '9' });
});

test('confirmed, it stays: power cuts do not count against it', async () => {
  for (let i = 0; i < 2; i++) {
    await box.cut();
    await box.powerOn();
    await box.console.wait(/^Ledge: slot B \(normal\)/, 60_000);
  }
  expect((await box.disk.state({ running: true })).variables?.get('BOOT_B_LEFT')).toBe('9');
});
