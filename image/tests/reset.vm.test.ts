import { setTimeout } from 'node:timers/promises';
import { until } from '@ledge/testing';
import { afterEach, expect, test } from 'vitest';
import { applianceOf } from './vm/appliance.ts';
import { bootFacts, identityOf } from './vm/ask.ts';
import { startedBox } from './vm/box.ts';
import { listBootFiles, putBootFiles } from './vm/fat.ts';
import type { Machine } from './vm/machine.ts';

/** From the initramfs' first word of the reset to systemd; on an emulated processor. */
const RESET_WITHIN_S = 10;
const SECRET = 'never-to-be-seen-again-0451';
let box: Machine | undefined;
afterEach(async () => {
  await box?.remove();
  box = undefined;
});

/** A box with an admin, a user of the broker, a thing, and a text that must not survive, in places that a reset destroys. */
async function usedBox(name: string): Promise<{ box: Machine; identity: Record<string, string> }> {
  const used = await startedBox(name);
  box = used;
  const ledge = await applianceOf(used);
  await ledge.addMqttUser('kitchen', 'long-enough-42', [{ filter: '#', access: 'both' }]);
  await ledge.dropThing('lamp.yaml', 'driver: simulated\nproperties:\n  on: { datatype: boolean, settable: true }\n');
  await used.sh(`echo '${SECRET}' >/var/lib/ledge/secrets/kept-secret; echo '${SECRET}' >/var/lib/ledge/server/kept; sync`);
  return { box: used, identity: await identityOf(used) };
}

/** As new: nothing of before is left, and everything runs. */
async function isAsNew(used: Machine, way: string, before: Record<string, string>): Promise<void> {
  await used.up();
  await used.shell();
  expect(await bootFacts(used)).toMatchObject({ SLOT: 'A', DATA: 'fresh', RESET: way });
  expect((await used.health(() => true)).setupNeeded).toBe(true);
  expect(await used.sh('ls /var/lib/ledge/things')).not.toContain('lamp.yaml');
  const after = await identityOf(used);
  for (const [name, value] of Object.entries(before)) expect({ [name]: after[name] }).not.toEqual({ [name]: value });
  const tookS = await resetSeconds(used);
  console.log(`factory reset by ${way}: ${tookS.toFixed(1)} s from its beginning to the system's start`);
  expect(tookS).toBeLessThanOrEqual(RESET_WITHIN_S);
  await used.shutDown();
  const data = await used.disk.partition('data');
  expect(data.includes(SECRET), 'the secret is still on the card').toBe(false);
  expect((await used.disk.state()).marks.reset).toBe('');
}

/** The kernel's log has the moment at which the reset began and the one at which systemd took over. */
async function resetSeconds(used: Machine): Promise<number> {
  const log = await used.sh("dmesg | grep -E 'Ledge: factory reset|systemd\\[1\\]: systemd 2|Inserted module|systemd\\[1\\]' | head -n 40");
  const seconds = (pattern: RegExp) => Number(/^\[ *([\d.]+)\]/.exec(log.split('\n').find((line) => pattern.test(line)) ?? '')?.[1]);
  return seconds(/systemd\[1\]/) - seconds(/factory reset/);
}

test('by the API', async () => {
  const { box: used, identity } = await usedBox('reset-api');
  const ledge = await applianceOf(used);
  const from = used.console.lines.length;
  expect((await ledge.api('POST', '/api/server/machine/factory-reset', { confirm: ledge.edge })).status).toBe(200);
  await used.console.wait(/Ledge: factory reset \(api\)/, 180_000, { from });
  await isAsNew(used, 'api', identity);
});

test('by a file on the boot partition, which is gone afterwards', async () => {
  const { box: used, identity } = await usedBox('reset-file');
  await used.shutDown();
  await putBootFiles(used.disk, { 'factory-reset': '' });
  await used.powerOn();
  await isAsNew(used, 'file', identity);
  expect(await listBootFiles(used.disk)).not.toContain('factory-reset');
});

test('by five quick power cycles, and not by four', async () => {
  const { box: used, identity } = await usedBox('reset-cycles');
  await used.shutDown();
  /** Switched on, and off as soon as the start was counted. */
  const quickly = async (times: number) => {
    for (let count = 1; count <= times; count++) {
      await used.powerOn();
      await until('the count', async () => (await used.disk.state({ running: true })).marks.boots === `LEDGE-BOOTS ${count}`, 120_000);
      await used.cut();
    }
  };
  await quickly(3);
  await used.powerOn();
  await used.up();
  expect(await bootFacts(used)).toMatchObject({ RESET: '', QUICK_BOOTS: '4' });
  await until('the row to end', async () => (await used.disk.state({ running: true })).marks.boots === 'LEDGE-BOOTS 0', 60_000);
  await used.cut();
  await quickly(4);
  await used.powerOn();
  await isAsNew(used, 'power-cycles', identity);
});

test('a power cut in the middle of a reset does not lose it', async () => {
  const { box: used, identity } = await usedBox('reset-cut');
  await used.shutDown();
  await putBootFiles(used.disk, { 'factory-reset.txt': '' });
  await used.powerOn();
  await used.console.wait(/Ledge: factory reset/, 120_000);
  await setTimeout(500); // somewhere in the middle
  await used.cut();
  await used.powerOn();
  await isAsNew(used, 'file', identity);
});
