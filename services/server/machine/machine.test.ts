import type { DoctorReport } from '@ledge/contract';
import { plainMachine } from '@ledge/host/machine-plain.ts';
import { SimulatedMachine } from '@ledge/host/machine-simulated.ts';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { DoctorDesk } from './doctor-desk.ts';
import { MachineDesk } from './machine-desk.ts';

const BOX = 'ledge-a1b2c3d4';

function desk(machine: ConstructorParameters<typeof MachineDesk>[0]['machine']) {
  const clock = fakeClock();
  const events: unknown[] = [];
  const ports = {
    machine,
    clock,
    log: pino({ level: 'silent' }),
    edge: { id: BOX, name: 'Barn' },
    version: '0.1.0',
    startedMs: clock.now(),
  };
  return { clock, events, desk: new MachineDesk({ ...ports, onStopping: (event) => events.push(event) }) };
}

test('the machine goes only after the answer, and says by whom', async () => {
  const machine = new SimulatedMachine();
  const { desk: machines, clock, events } = desk(machine);
  expect(await machines.ask('reboot', 'anna')).toEqual({ act: 'reboot' });
  expect(events).toEqual([{ act: 'reboot', user: 'anna' }]);
  expect(machine.done).toEqual([]);
  await clock.advance(1_500);
  expect(machine.done).toEqual(['reboot']);
});

test('asked twice it goes once', async () => {
  const machine = new SimulatedMachine();
  const { desk: machines, clock, events } = desk(machine);
  await machines.ask('reboot', 'anna');
  expect(await machines.ask('power-off', 'ben')).toEqual({ act: 'reboot' });
  await clock.advance(5_000);
  expect(machine.done).toEqual(['reboot']);
  expect(events).toHaveLength(1);
});

test('a factory reset wants the id of this box', async () => {
  const machine = new SimulatedMachine();
  const { desk: machines, clock } = desk(machine);
  for (const confirm of [undefined, '', 'ledge-00000000', `${BOX} `])
    await expect(machines.ask('factory-reset', 'anna', confirm)).rejects.toMatchObject({
      code: 'invalid-value',
      errors: [{ field: 'confirm' }],
    });
  await machines.ask('factory-reset', 'anna', BOX);
  await clock.advance(1_500);
  expect(machine.done).toEqual(['factory-reset']);
});

test('a refusal is told before anything happens, and does not block the next try', async () => {
  const machine = new SimulatedMachine();
  const { desk: machines, clock, events } = desk(machine);
  machine.refuses = 'not-allowed';
  await expect(machines.ask('reboot', 'anna')).rejects.toMatchObject({ code: 'not-allowed' });
  expect(events).toEqual([]);
  machine.refuses = undefined;
  await machines.ask('reboot', 'anna');
  machine.refuses = 'service-away'; // between the answer and the act
  await clock.advance(1_500);
  machine.refuses = undefined;
  await machines.ask('power-off', 'anna');
  await clock.advance(1_500);
  expect(machine.done).toEqual(['power-off']);
});

test('what is known of the machine is shown; the rest comes from the program', async () => {
  const { desk: machines, clock } = desk(plainMachine('pc'));
  await clock.advance(61_400);
  const time = new Date(clock.now()).toISOString();
  expect(await machines.view()).toEqual({ machine: 'pc', name: 'Barn', time, version: '0.1.0', uptimeS: 61, can: [] });
  const image = desk(new SimulatedMachine({ machine: 'rpi', version: '9.9.9', slot: 'B', uptimeS: 7.4 }));
  expect(await image.desk.view()).toMatchObject({
    machine: 'rpi',
    version: '9.9.9',
    slot: 'B',
    uptimeS: 7,
    can: ['reboot', 'power-off', 'factory-reset'],
  });
});

function doctor() {
  const clock = fakeClock();
  const looks: { signal: AbortSignal; end(report: DoctorReport): void; fail(error: Error): void }[] = [];
  const desk = new DoctorDesk(clock, (signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<DoctorReport>();
    looks.push({ signal, end: resolve, fail: reject });
    return promise;
  });
  return { clock, looks, desk };
}
const REPORT: DoctorReport = { state: 'ok', time: '2026-01-01T00:00:00.000Z', version: '0.1.0', checks: [] };

test('the doctor looks once for all who ask at a time, and again after some seconds', async () => {
  const { clock, looks, desk } = doctor();
  const both = Promise.all([desk.report(), desk.report()]);
  expect(looks).toHaveLength(1);
  looks[0]?.end(REPORT);
  expect(await both).toEqual([REPORT, REPORT]);
  await clock.advance(4_000);
  expect(await desk.report()).toBe(REPORT);
  await clock.advance(1_000);
  const again = desk.report();
  expect(looks).toHaveLength(2);
  looks[1]?.end(REPORT);
  await again;
});

test('a look that takes too long is told to come to an end', async () => {
  const { clock, looks, desk } = doctor();
  const waiting = desk.report();
  await clock.advance(19_000);
  expect(looks[0]?.signal.aborted).toBe(false);
  await clock.advance(1_000);
  expect(looks[0]?.signal.aborted).toBe(true);
  looks[0]?.end(REPORT);
  await waiting;
  expect(clock.pendingTimers).toBe(0);
});

test('a look that fails does not block the next', async () => {
  const { looks, desk } = doctor();
  const waiting = desk.report();
  looks[0]?.fail(new Error('no'));
  await expect(waiting).rejects.toThrow('no');
  const again = desk.report();
  looks[1]?.end(REPORT);
  expect(await again).toBe(REPORT);
});
