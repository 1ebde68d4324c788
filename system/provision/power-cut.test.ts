import { expect, test } from 'vitest';
import { REPORT_JSON, STATE_FILE } from './import.ts';
import { Box, PowerCut } from './import-test-support.ts';
import { sample } from './test-support.ts';
import { WIPE_FILE } from './wipe.ts';

test.each(['settings/edge.yaml', 'system/country', WIPE_FILE, 'sync', 'wipe', REPORT_JSON, STATE_FILE])(
  'a power cut at %s: the next start comes to the same',
  async (moment) => {
    using whole = new Box();
    whole.put('ledge.yaml', sample('ledge.yaml'));
    await whole.import();

    using box = new Box();
    box.put('ledge.yaml', sample('ledge.yaml'));
    box.cutAt = moment;
    await expect(box.import()).rejects.toBeInstanceOf(PowerCut);
    box.cutAt = undefined;
    box.machine.failing.clear();
    await box.import();
    expect(box.machine.profiles).toEqual(whole.machine.profiles);
    expect(box.machine.settings).toEqual(whole.machine.settings);
    expect(box.get('ledge.yaml')).toBe(whole.get('ledge.yaml'));
    for (const path of ['settings/edge.yaml', 'system/country', 'secrets/first-admin', STATE_FILE])
      expect(box.kept(path)).toBe(whole.kept(path));
  },
);

/** A file whose first password lies across the border of two sectors, and what a power cut can make of it. */
function acrossSectors() {
  const head = `# ${'-'.repeat(470)}\nwifi:\n  ssid: Home\n  password: `;
  const text = `${head}correct horse battery\nadminPassword: battery staple\n`;
  const whole = `${head}"*******************"\nadminPassword: "************"\n`;
  expect(head.length).toBeLessThan(512);
  expect(head.length + 10).toBeGreaterThan(512);
  return { text, whole, torn: [whole.slice(0, 512) + text.slice(512), text.slice(0, 512) + whole.slice(512)] };
}

test('a password of half stars, left by a power cut, is never taken for a new one', async () => {
  const { text, whole, torn } = acrossSectors();
  for (const half of torn) {
    using box = new Box();
    box.put('ledge.yaml', text);
    box.cutAt = 'wipe';
    await expect(box.import()).rejects.toBeInstanceOf(PowerCut);
    box.cutAt = undefined;
    box.machine.failing.clear();
    box.put('ledge.yaml', half);
    const report = await box.import();
    expect(report.notes).toEqual([]);
    expect(box.machine.profiles.get('Home')?.key).toEqual({ kind: 'passphrase', value: 'correct horse battery' });
    expect(box.get('ledge.yaml')).toBe(whole);
    expect(box.kept(WIPE_FILE)).toBeUndefined();
  }
});

test('half stars on a card that cannot be written any more are no password either', async () => {
  const { text, torn } = acrossSectors();
  using box = new Box();
  box.put('ledge.yaml', text);
  box.cutAt = 'wipe';
  await expect(box.import()).rejects.toBeInstanceOf(PowerCut);
  box.machine.failing.clear();
  box.put('ledge.yaml', torn[1] ?? '');
  // at the cut nothing can be written; the rest goes on
  box.brokenCard = true;
  box.cutAt = undefined;
  const report = await box.import();
  expect(report.problems).toEqual(['the passwords in ledge.yaml are half overwritten, and the card cannot be written']);
  expect(box.machine.profiles.get('Home')?.key).toEqual({ kind: 'passphrase', value: 'correct horse battery' });
  expect(box.kept(STATE_FILE)).toBeUndefined();
});

test('a password that was changed after the power cut is a new one', async () => {
  using box = new Box();
  box.put('ledge.yaml', 'wifi: { ssid: Home, password: correct horse }\n');
  box.cutAt = 'wipe';
  await expect(box.import()).rejects.toBeInstanceOf(PowerCut);
  box.cutAt = undefined;
  box.machine.failing.clear();
  box.put('ledge.yaml', 'wifi: { ssid: Home, password: another horse }\n');
  await box.import();
  expect(box.machine.profiles.get('Home')?.key).toEqual({ kind: 'passphrase', value: 'another horse' });
  expect(box.get('ledge.yaml')).not.toContain('horse');
});

test('nothing is taken from the card before everything is on the medium', async () => {
  using box = new Box();
  box.put('ledge.yaml', sample('ledge.yaml'));
  await box.import();
  expect(box.order.slice(-5)).toEqual([WIPE_FILE, 'sync', 'wipe', REPORT_JSON, STATE_FILE]);
  expect(box.kept(WIPE_FILE)).toBeUndefined();
});
