import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootFacts, failedUnits, identityOf } from './vm/ask.ts';
import { newBox, startedBox } from './vm/box.ts';
import { CARD_SIZE } from './vm/disk.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';

const SERVICES = ['broker', 'device', 'sse', 'media', 'server'];
const MIB = 2 ** 20;
/** What the end of a card may be left over for: partitions end at whole MiB. */
const ALIGNMENT = MIB;
let first: Machine;
let lonely: Machine;

beforeAll(async () => {
  first = await startedBox('first', { cardSize: 2 * CARD_SIZE });
  // no network card at all; nothing of it can be asked from outside
  lonely = await newBox('lonely', { network: 'none' });
  await lonely.powerOn();
  await lonely.shell();
});
afterAll(async () => {
  await first?.remove();
  await lonely?.remove();
});

describe('without any network', () => {
  test('every service comes up and the page is served', async () => {
    await lonely.sh(
      `until [ "$(systemctl is-active ${SERVICES.map((name) => `ledge-${name}`).join(' ')} | sort -u)" = active ]; do sleep 0.5; done`,
      { seconds: UP_WITHIN_MS / 1000 },
    );
    const page = await lonely.sh(`node -e "fetch('http://127.0.0.1/api/server/health').then((r) => r.text()).then(console.log)"`);
    expect(JSON.parse(page)).toMatchObject({ state: 'ready', setupNeeded: true });
  });

  test('nothing fails, and it knows a time that is not before its own making', async () => {
    expect(await failedUnits(lonely)).toEqual([]);
    const built = Date.parse((JSON.parse(await lonely.sh('cat /usr/lib/ledge/release.json')) as { built: string }).built);
    expect(Number(await lonely.sh('date +%s')) * 1000).toBeGreaterThanOrEqual(built);
  });
});

describe('the first start', () => {
  test('makes the data partition, and it fills the card', async () => {
    expect(await bootFacts(first)).toMatchObject({ SLOT: 'A', REASON: 'normal', DATA: 'fresh', RESET: '' });
    const size = Number(await first.sh('blockdev --getsize64 /dev/ledge/data'));
    const start = Number(await first.sh('cat /sys/class/block/vda4/start')) * 512;
    expect(2 * CARD_SIZE - (start + size)).toBeLessThanOrEqual(ALIGNMENT);
    const fileSystem = Number(await first.sh('df --block-size=1 --output=size /var | tail -n 1'));
    console.log(
      `a card of ${(2 * CARD_SIZE) / MIB} MiB: data partition ${Math.round(size / MIB)} MiB, file system ${Math.round(fileSystem / MIB)} MiB`,
    );
    expect(fileSystem / size).toBeGreaterThan(0.94);
  });

  test('gives the box an id, keys, a certificate and secrets that no other box has', async () => {
    const [one, other] = [await identityOf(first), await identityOf(lonely)];
    expect(Object.keys(one).sort()).toEqual(Object.keys(other).sort());
    expect(Object.keys(one).length).toBeGreaterThan(8);
    const same = Object.keys(one).filter((name) => one[name] === other[name]);
    expect(same).toEqual([]);
    expect(new Set(Object.values(one)).size).toBe(Object.keys(one).length);
    expect(one['edge-id']).toMatch(/^ledge-[0-9a-f]{8}$/);
    expect(one.hostname).toMatch(/^ledge-[0-9a-f]{4}$/);
  });

  test('leaves no password anywhere, and no SSH', async () => {
    // a hash in the shadow file would be one that every box has
    expect(await first.sh("cut -d: -f1,2 /etc/shadow | grep -v ':[!*]' || true")).toBe('');
    expect(await first.sh('systemctl is-active ssh.service ssh.socket || true')).not.toMatch(/^active/m);
    expect(await first.sh("ss -ltnH 'sport = :22'")).toBe('');
  });
});
