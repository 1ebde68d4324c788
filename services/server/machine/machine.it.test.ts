import { doctorReportSchema, machineViewSchema } from '@ledge/contract';
import { SimulatedMachine } from '@ledge/host/machine-simulated.ts';
import { expect, test } from 'vitest';
import { eventually, startBox } from '../harness.ts';

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
