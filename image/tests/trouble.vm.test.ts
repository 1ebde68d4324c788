import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVICES } from '../../acceptance/appliance.ts';
import { applianceOf, type BoardAppliance } from './vm/appliance.ts';
import { bootFacts, failedUnits } from './vm/ask.ts';
import { newBox } from './vm/box.ts';
import { health, isReady } from './vm/health.ts';
import { readyBox } from './vm/held-box.ts';
import type { Machine } from './vm/machine.ts';

/** Longest that a hung service may go unnoticed: WatchdogSec= of the units, and then it must start again on an emulated processor. */
const WATCHDOG_S = 20;
const STARTS_WITHIN_MS = 120_000;
let box: Machine;
let ledge: BoardAppliance;

beforeAll(async () => {
  box = await readyBox('trouble');
  ledge = await applianceOf(box);
});
afterAll(() => box?.remove());

const property = (service: string, name: string) => box.sh(`systemctl show --property=${name} --value ledge-${service}.service`);
const isWell = async () => {
  const answer = await health(box.url);
  return answer !== undefined && isReady(answer);
};

/** Waits for another process of the service, and for everything to be ready; resolves with the milliseconds. */
async function recovers(service: string, oldPid: string): Promise<number> {
  const startMs = performance.now();
  await until(`another process of ${service}`, async () => !['0', oldPid].includes(await property(service, 'MainPID')), STARTS_WITHIN_MS);
  await until('all to be ready', isWell, STARTS_WITHIN_MS);
  return performance.now() - startMs;
}

// first, as the last lines of a service are kept once in some hours
test.each(['device', 'server'] as const)('%s hung: its watchdog ends it, and its last words are kept', async (service) => {
  const pid = await property(service, 'MainPID');
  await box.sh(`kill -STOP ${pid}`);
  const tookMs = await recovers(service, pid);
  console.log(`${service} hung: all ready after ${(tookMs / 1000).toFixed(1)} s`);
  expect(tookMs).toBeGreaterThan((WATCHDOG_S / 2 - 5) * 1000);
  expect(await box.sh(`journalctl --boot --no-pager --output=cat --unit=ledge-${service}.service | grep -c 'Watchdog timeout'`)).not.toBe(
    '0',
  );
  expect(await box.sh('head -qn 1 /var/lib/ledge/crash/*.log')).toMatch(new RegExp(`ledge-${service} ended \\(watchdog`));
});

test.each(SERVICES)('%s killed: systemd starts it again, and all is ready', async (service) => {
  const pid = await property(service, 'MainPID');
  await box.sh(`kill -9 ${pid}`);
  console.log(`${service} killed: all ready after ${((await recovers(service, pid)) / 1000).toFixed(1)} s`);
  expect(Number(await property(service, 'NRestarts'))).toBeGreaterThan(0);
});

test('a draft of a secret that a power cut left to a service does not keep the box from making it anew', async () => {
  const secret = '/var/lib/ledge/secrets/gateway';
  await box.sh(`mv ${secret} ${secret}.kept && install -o ledge-server -g ledge-server -m 0600 /dev/null ${secret}.new`);
  expect((await box.exec(`echo >${secret}.new`)).err).toMatch(/Permission denied/);
  await box.sh('/usr/lib/ledge/identity');
  expect(await box.sh(`stat --format='%U %a %s' ${secret}`)).toBe('ledge-server 600 43');
  await box.sh(`mv ${secret}.kept ${secret}`);
});

test('out of memory: only the service that takes too much ends, and it comes back', async () => {
  const before = await Promise.all(SERVICES.map((service) => property(service, 'MainPID')));
  const pid = before[SERVICES.indexOf('media')] ?? '';
  // a greedy process in the service's own group, as a leak of its own would be
  await box.exec(
    `echo $$ >/sys/fs/cgroup/system.slice/ledge-media.service/cgroup.procs && exec /usr/bin/node -e "const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))"`,
    { seconds: 120 },
  );
  await until('all to be ready', isWell, STARTS_WITHIN_MS);
  const after = await Promise.all(SERVICES.map((service) => property(service, 'MainPID')));
  expect(await box.sh("journalctl --boot --no-pager --dmesg --output=cat | grep -c 'Memory cgroup out of memory'")).not.toBe('0');
  const changed = SERVICES.filter((_, i) => before[i] !== after[i]);
  console.log(
    `out of memory in media: ${changed.length === 0 ? 'the greedy process was ended alone' : `${changed.join(', ')} started again`} (was ${pid})`,
  );
  expect(changed.filter((service) => service !== 'media')).toEqual([]);
});

test('disk full: it goes on, says so, and is well when there is room again', async () => {
  await box.sh(
    'fallocate -l $(($(df --output=avail --block-size=1 /var | tail -n 1) + 0)) /var/full || dd if=/dev/zero of=/var/full bs=1M 2>/dev/null; sync || true',
    {
      seconds: 300,
    },
  );
  await box.exec('dd if=/dev/zero of=/var/full2 bs=4k 2>/dev/null; sync', { seconds: 120 });
  expect(await box.sh('df --output=avail --block-size=1K /var | tail -n 1')).toMatch(/^\s*\d{1,5}$/);
  // live values still come, and a restart does not lose it
  expect((await health(box.url))?.services.broker).toBe('ready');
  const pid = await property('broker', 'MainPID');
  await box.sh(`kill -9 ${pid}`);
  await recovers('broker', pid);
  await box.sh('rm -f /var/full /var/full2; sync');
  await until('all to be ready', isWell, STARTS_WITHIN_MS);
  expect((await ledge.api('PUT', '/api/device/things/lamp/file', undefined)).status).not.toBe(500);
  expect(await failedUnits(box)).toEqual([]);
});

test('clock at 1970: no time before its own making is believed, and everything works', async () => {
  const young = await newBox('clock', { clock: '1970-01-01T00:00:00', network: 'restricted' });
  try {
    await young.powerOn();
    await young.up();
    await young.shell();
    const built = Date.parse((JSON.parse(await young.sh('cat /usr/lib/ledge/release.json')) as { built: string }).built);
    const first = Number(await young.sh('date +%s')) * 1000;
    expect(first).toBeGreaterThanOrEqual(built);
    // the broker's certificate must not be from the future of a box that starts again
    expect(await young.sh('openssl version >/dev/null 2>&1; test -s /var/lib/ledge/secrets/broker-certificate.pem && echo made')).toBe(
      'made',
    );
    expect(await failedUnits(young)).toEqual([]);
    await young.shutDown();
    await young.powerOn();
    await young.shell();
    expect(Number(await young.sh('date +%s')) * 1000, 'not before the last time seen').toBeGreaterThanOrEqual(first);
    expect(await bootFacts(young)).toMatchObject({ DATA: 'ok' });
  } finally {
    await young.remove();
  }
});
