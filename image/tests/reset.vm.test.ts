import { setTimeout } from 'node:timers/promises';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applianceOf } from './vm/appliance.ts';
import { bootFacts, identityOf } from './vm/ask.ts';
import { newBox } from './vm/box.ts';
import { listBootFiles, putBootFiles } from './vm/fat.ts';
import { isReady } from './vm/health.ts';
import { readyBox } from './vm/held-box.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';

/** From the initramfs' first word of the reset to systemd; on an emulated processor. */
const RESET_WITHIN_S = 10;
const SECRET = 'never-to-be-seen-again-0451';
/** A box with an admin, a user of the broker, a thing, and a text that must not survive. Each test resets its own copy of this card. */
let used: Machine;
let before: Record<string, string>;

beforeAll(async () => {
  used = await readyBox('used');
  const ledge = await applianceOf(used);
  await ledge.addMqttUser('kitchen', 'long-enough-42', [{ filter: '#', access: 'both' }]);
  await ledge.dropThing('lamp.yaml', 'driver: simulated\nproperties:\n  on: { datatype: boolean, settable: true }\n');
  await used.sh(
    `echo '${SECRET}' >/var/lib/ledge/secrets/kept-secret; echo '${SECRET}' >/var/lib/ledge/server/kept; echo '# ${SECRET}' >>/var/lib/ledge/things/lamp.yaml; sync`,
  );
  before = await identityOf(used);
  await used.shutDown();
});
afterAll(() => used?.remove());

async function withCopy(name: string, act: (box: Machine) => Promise<void>): Promise<void> {
  const box = await newBox(name, { image: used.disk.file });
  try {
    await act(box);
  } finally {
    await box.remove();
  }
}

/** As new: nothing of before is left, and in time. */
async function isAsNew(box: Machine, way: string): Promise<void> {
  await box.shell();
  await box.sh('until systemctl is-active --quiet ledge-identity.service; do sleep 0.2; done', { seconds: 120 });
  expect(await bootFacts(box)).toMatchObject({ SLOT: 'A', DATA: 'fresh', RESET: way });
  expect(await box.sh('ls /var/lib/ledge/things')).not.toContain('lamp.yaml');
  const after = await identityOf(box);
  const same = Object.keys(before).filter((name) => before[name] === after[name]);
  expect(same).toEqual([]);
  const tookS = await resetSeconds(box);
  console.log(`factory reset by ${way}: ${tookS.toFixed(1)} s from its beginning to the system's start`);
  expect(tookS).toBeLessThanOrEqual(RESET_WITHIN_S);
}

/** Nothing to be found on the card, and no reset at the next start. */
async function leavesNothing(box: Machine): Promise<void> {
  await box.cut();
  expect(await box.disk.contains('data', SECRET), 'the secret is still on the card').toBe(false);
  expect((await box.disk.state()).marks.reset).toBe('');
}

/** The kernel's log has the moment at which the reset began and the one at which systemd took over. */
async function resetSeconds(box: Machine): Promise<number> {
  const log = (await box.sh("dmesg | grep -E 'Ledge: factory reset|systemd\\[1\\]'")).split('\n');
  const seconds = (pattern: RegExp) => Number(/^\[ *([\d.]+)\]/.exec(log.find((line) => pattern.test(line)) ?? '')?.[1]);
  return seconds(/systemd\[1\]/) - seconds(/factory reset/);
}

test('by the API, and everything runs as on the first day', () =>
  withCopy('reset-api', async (box) => {
    await box.powerOn();
    await box.up();
    await box.shell();
    const ledge = await applianceOf(box);
    const from = box.console.lines.length;
    expect((await ledge.api('POST', '/api/server/machine/factory-reset', { confirm: ledge.edge })).status).toBe(200);
    await box.console.wait(/Ledge: factory reset \(api\)/, UP_WITHIN_MS, { from });
    await isAsNew(box, 'api');
    await box.health((health) => isReady(health) && health.setupNeeded);
    await leavesNothing(box);
  }));

test('by a file on the boot partition, which is gone afterwards', () =>
  withCopy('reset-file', async (box) => {
    await putBootFiles(box.disk, { 'factory-reset': '' });
    await box.powerOn();
    await isAsNew(box, 'file');
    await leavesNothing(box);
    expect(await listBootFiles(box.disk)).not.toContain('factory-reset');
  }));

test('by five quick power cycles, and not by four', () =>
  withCopy('reset-cycles', async (box) => {
    const count = (n: number) => async () => (await box.disk.state({ running: true })).marks.boots === `LEDGE-BOOTS ${n}`;
    /** Switched on, and off as soon as the start was counted. */
    const quickly = async (times: number) => {
      for (let n = 1; n <= times; n++) {
        await box.powerOn();
        await until('the count', count(n), 120_000);
        await box.cut();
      }
    };
    await quickly(3);
    await box.powerOn();
    await until('a start that has lasted', count(0), UP_WITHIN_MS);
    expect(await bootFacts(box)).toMatchObject({ RESET: '', QUICK_BOOTS: '4' });
    await box.cut();
    await quickly(4);
    await box.powerOn();
    await isAsNew(box, 'power-cycles');
    await leavesNothing(box);
  }));

test('a power cut in the middle of a reset does not lose it', () =>
  withCopy('reset-cut', async (box) => {
    await putBootFiles(box.disk, { 'factory-reset.txt': '' });
    await box.powerOn();
    await box.console.wait(/Ledge: factory reset/, 120_000);
    await setTimeout(500); // somewhere in the middle
    await box.cut();
    await box.powerOn();
    await isAsNew(box, 'file');
    await leavesNothing(box);
  }));
