import type { DoctorReport, MachineView } from '@ledge/contract';
import { until } from '@ledge/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applianceOf, type BoardAppliance } from './vm/appliance.ts';
import { readyBox } from './vm/held-box.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';

/** An emulated board has no network with a time server. */
const EXPECTED = ['clock-synchronised'];
/** What an emulated board of this kind has not, or what that user may not see. */
const MAY_SKIP: Record<string, readonly string[]> = {
  root: ['import', 'card-life', 'watchdog-firmware', 'temperature', 'supply-voltage', 'radio', 'wifi-country'],
  ledge: [],
  'ledge-server': ['slot-state'],
};
const SECONDS = 180;
let box: Machine;
let api: BoardAppliance;

beforeAll(async () => {
  box = await readyBox('doctor');
  api = await applianceOf(box);
  await box.sh('systemctl is-system-running --wait || true', { seconds: 300 });
});
afterAll(() => box?.remove());

const as = (user: string, command: string) => (user === 'root' ? command : `runuser -u ${user} -- ${command}`);
const ledge = (user: string, line: string) => box.exec(as(user, `ledge ${line}`), { seconds: SECONDS });

async function report(user: string): Promise<DoctorReport> {
  if (user === 'ledge-server') return (await api.api<DoctorReport>('GET', '/api/server/doctor')).body;
  return JSON.parse((await ledge(user, 'doctor --json')).out) as DoctorReport;
}

test.each(['root', 'ledge', 'ledge-server'])('as %s everything that can be seen is well', async (user) => {
  const askedAt = performance.now();
  const { checks } = await report(user);
  const tookS = (performance.now() - askedAt) / 1000;
  const bad = checks.filter(({ state, name }) => (state === 'fault' || state === 'warning') && !EXPECTED.includes(name));
  expect(bad).toEqual([]);
  const skipped = checks.filter(({ state }) => state === 'skipped');
  const allowed = [...(MAY_SKIP.root ?? []), ...(MAY_SKIP[user] ?? [])];
  expect(skipped.filter(({ name }) => !allowed.includes(name))).toEqual([]);
  console.log(`${user}: ${checks.length} checks in ${tookS.toFixed(1)} s, skipped: ${skipped.map(({ name }) => name).join(' ')}`);
});

test('the person on the console reads the status on one screen, without root', async () => {
  const { code, out, err } = await ledge('ledge', 'status');
  console.log(out);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^Version +\S+ \([0-9a-f]{7}.*\), slot A$/m);
  expect(out).toMatch(/^Page +http:\/\/ledge-[0-9a-f]{4}\.local\//m);
  for (const name of ['broker', 'device', 'media', 'server', 'sse'])
    expect(out).toMatch(new RegExp(`^${name} +ready .* MB of \\d+ MB`, 'm'));
  const lines = out.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const logs = await ledge('ledge', 'logs sse -n 3');
  expect(logs).toMatchObject({ code: 0, out: expect.stringMatching(/^\d\d:\d\d:\d\d sse /) });
});

test('a service that was stopped is a fault, told over the network too', async () => {
  await box.sh('systemctl stop ledge-media.service', { seconds: SECONDS });
  const { code, out } = await ledge('ledge', 'doctor');
  expect(code).toBe(1);
  expect(out).toMatch(/^fault +Services +media is inactive/m);
  const { checks, state } = await until(
    'the answer of before to be old',
    async () => {
      const now = await report('ledge-server');
      return now.state === 'fault' && now;
    },
    SECONDS * 1000,
  );
  expect(state).toBe('fault');
  expect(checks.find(({ name }) => name === 'services')).toMatchObject({ state: 'fault', seen: 'media is inactive' });
});

test('the person on the console restarts a service; a service restarts none', async () => {
  expect(await ledge('ledge', 'restart media')).toMatchObject({ code: 0, out: 'media was restarted.\n' });
  expect(await ledge('ledge', 'restart ghost')).toMatchObject({ code: 2 });
  expect((await ledge('ledge-sse', 'restart media')).code).toBe(4);
  expect((await ledge('ledge-sse', 'reboot')).code).toBe(4);
});

test('a change by hand that will not last is told', async () => {
  await box.sh('echo x >/etc/hand-made');
  const { checks } = await report('root');
  expect(checks.find(({ name }) => name === 'declared-state')).toMatchObject({ state: 'warning', seen: '/etc/hand-made was changed' });
});

test('the machine says what it is, wants the right id for a reset, and restarts for an admin and for the person on the console', async () => {
  const view = async () => (await api.api<MachineView>('GET', '/api/server/machine')).body;
  const before = await view();
  expect(before).toMatchObject({ machine: 'rpi', slot: 'A', reason: 'normal', can: ['reboot', 'power-off', 'factory-reset'] });
  expect((await api.api('POST', '/api/server/machine/factory-reset', { confirm: 'ledge-00000000' })).status).toBe(400);
  const restarted = async (bootId: string | undefined) => {
    const now = await until(
      'another start',
      async () => {
        const answer = await view().catch(() => undefined);
        return answer?.bootId !== undefined && answer.bootId !== bootId && answer;
      },
      UP_WITHIN_MS,
    );
    await box.up();
    await box.shell();
    return now;
  };
  expect(await api.api('POST', '/api/server/machine/reboot')).toMatchObject({ status: 200, body: { act: 'reboot' } });
  const second = await restarted(before.bootId);
  // the machine may be gone before its answer is whole
  const answer = await ledge('ledge', 'reboot').catch((error: Error) => ({ code: 0, out: error.message, err: '' }));
  expect(answer).toMatchObject({ code: 0, err: '' });
  await restarted(second.bootId);
  expect(await box.sh('ls /etc/hand-made 2>/dev/null || echo gone')).toBe('gone');
});
