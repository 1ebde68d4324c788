import { doctorReportSchema, machineViewSchema } from '@ledge/contract';
import { SimulatedMachine } from '@ledge/host/machine-simulated.ts';
import { expect, test } from 'vitest';
import { cookieOf, eventually, PASSWORD, startBox } from '../harness.ts';

test('an admin restarts the machine: it answers first, and the audit log has it', async () => {
  const machine = new SimulatedMachine();
  await using box = await startBox({}, { machine });
  const cookie = await box.signIn();
  const post = (path: string, body?: unknown) => box.ask(`/api/server/machine/${path}`, { method: 'POST', headers: { cookie }, body });
  expect((await box.ask('/api/server/machine', { headers: { cookie } })).json).toMatchObject({
    machine: 'rpi',
    slot: 'A',
    can: ['reboot', 'power-off', 'factory-reset'],
  });
  expect(await post('factory-reset', {})).toMatchObject({ status: 400, json: { code: 'invalid-value' } });
  expect(await post('factory-reset', { confirm: 'ledge-00000000' })).toMatchObject({
    status: 400,
    json: { errors: [{ field: 'confirm' }] },
  });
  expect(await post('reboot')).toMatchObject({ status: 200, json: { act: 'reboot' } });
  expect(machine.done).toEqual([]);
  await eventually(async () => machine.done.length > 0);
  expect(machine.done).toEqual(['reboot']);
  expect(await post('factory-reset', { confirm: box.edge })).toMatchObject({ status: 200, json: { act: 'factory-reset' } });
  const { items } = (await box.ask('/api/server/audit', { headers: { cookie } })).json as { items: { action: string; detail: string }[] };
  expect(items[0]).toMatchObject({
    user: 'admin',
    action: 'POST /api/server/machine/factory-reset',
    detail: 'delete everything',
    status: 200,
  });
  await eventually(async () => machine.done.length === 2);
});

test('strangers and a PC: nobody restarts anything', async () => {
  await using box = await startBox();
  for (const act of ['reboot', 'power-off', 'factory-reset'])
    expect((await box.ask(`/api/server/machine/${act}`, { method: 'POST', body: { confirm: box.edge } })).status).toBe(401);
  expect((await box.ask('/api/server/doctor')).status).toBe(401);
  const cookie = await box.signIn();
  const refused = await box.ask('/api/server/machine/reboot', { method: 'POST', headers: { cookie } });
  expect(refused).toMatchObject({ status: 409, json: { code: 'not-supported' } });
  const { json } = await box.ask('/api/server/machine', { headers: { cookie } });
  expect(machineViewSchema.parse(json)).toMatchObject({ machine: 'pc', version: '0.1.0', can: [] });
});

test('the first start takes a name, a time zone and a language; an admin changes them later, and they outlast a restart', async () => {
  const machine = new SimulatedMachine();
  await using box = await startBox({}, { machine });
  const done = await box.ask('/api/server/setup', {
    method: 'POST',
    body: { password: PASSWORD, name: ' Barn ', timeZone: 'Europe/Paris', language: 'fr' },
  });
  expect(done.status).toBe(200);
  const cookie = cookieOf(done);
  const get = async (path: string) => (await box.ask(`/api/server/${path}`, { headers: { cookie } })).json;
  const put = (body: unknown) => box.ask('/api/server/machine/identity', { method: 'PUT', headers: { cookie }, body });
  expect(machine.timeZone).toBe('Europe/Paris');
  expect(await get('preferences')).toMatchObject({ language: 'fr' });
  expect(await get('machine')).toMatchObject({ name: 'Barn', timeZone: 'Europe/Paris' });
  expect((await put({ name: 'Mill' })).json).toMatchObject({ name: 'Mill', timeZone: 'Europe/Paris' });
  expect((await put({ timeZone: 'Mars/Olympus' })).json).toMatchObject({ code: 'invalid-value', errors: [{ field: 'timeZone' }] });
  expect((await put({ name: 'two\nlines' })).json).toMatchObject({ code: 'invalid-value', errors: [{ field: 'name' }] });
  expect(await get('health')).toMatchObject({ name: 'Mill' });
  const { items } = (await get('audit')) as { items: { action: string; detail: string; status: number }[] };
  expect(items.find(({ action }) => action.endsWith('/identity'))).toMatchObject({ status: 400 });
  expect(items.find(({ status, action }) => action.endsWith('/identity') && status === 200)).toMatchObject({ detail: 'name Mill' });
  await box.restart();
  expect(await get('health')).toMatchObject({ name: 'Mill' });
});

test('a name from the environment stays, and a machine that cannot be set does not hold up the first start', async () => {
  await using box = await startBox({ EDGE_NAME: 'Barn' });
  const body = { password: PASSWORD, name: 'Mill', timeZone: 'Europe/Paris' };
  const done = await box.ask('/api/server/setup', { method: 'POST', body });
  expect(done.status).toBe(200);
  const headers = { cookie: cookieOf(done) };
  const put = (body: unknown) => box.ask('/api/server/machine/identity', { method: 'PUT', headers, body });
  expect(await put({ name: 'Mill' })).toMatchObject({ status: 409, json: { code: 'locked-by-environment' } });
  expect(await put({ timeZone: 'Europe/Paris' })).toMatchObject({ status: 409, json: { code: 'not-supported' } });
  expect((await box.ask('/api/server/health')).json).toMatchObject({ name: 'Barn' });
  expect((await box.ask('/api/server/machine/identity', { method: 'PUT', body: { name: 'Mill' } })).status).toBe(401);
});

test('the doctor answers on this machine, in its own form and in time', async () => {
  await using box = await startBox();
  const cookie = await box.signIn();
  const askedAt = performance.now();
  const answers = await Promise.all([1, 2, 3].map(() => box.ask('/api/server/doctor', { headers: { cookie } })));
  console.log(`the doctor took ${Math.round(performance.now() - askedAt)} ms`);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  const report = doctorReportSchema.parse(answers[0]?.json);
  expect(report.checks.find(({ name }) => name === 'memory')?.seen).toMatch(/ of .* available/);
});
