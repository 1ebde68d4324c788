import { Problem } from '@ledge/contract';
import { expect, test } from 'vitest';
import type { Machine } from './machine.ts';

/** A machine to be tried, and the hand that changes what it is told to do. */
export interface TriedMachine {
  machine: Machine;
  /** What was really done, in order. */
  done(): readonly string[];
  /** The zone that it was last set to. */
  timeZone(): string | undefined;
  /** From now on it refuses everything with this code; undefined: nothing. */
  refuse(why: 'not-allowed' | 'service-away' | undefined): void;
}

/** What every machine that can be restarted holds to. */
export function machineContract(name: string, make: () => TriedMachine): void {
  test(`${name}: tells what it is`, async () => {
    const { machine } = make();
    expect(await machine.facts()).toMatchObject({ machine: 'rpi', version: '0.1.0', slot: 'A', uptimeS: expect.any(Number) });
  });

  test(`${name}: to ask whether it would does nothing`, async () => {
    const { machine, done } = make();
    for (const act of machine.acts) await machine.allows(act);
    expect(done()).toEqual([]);
  });

  test(`${name}: does what it is asked`, async () => {
    const { machine, done } = make();
    for (const act of machine.acts) await machine.perform(act);
    expect(done()).toEqual(['reboot', 'power-off', 'factory-reset']);
  });

  test(`${name}: takes a time zone`, async () => {
    const { machine, timeZone } = make();
    await machine.setTimeZone('Europe/Paris');
    expect(timeZone()).toBe('Europe/Paris');
  });

  test.each(['not-allowed', 'service-away'] as const)(`${name}: a refusal is told as %s, and nothing is done`, async (code) => {
    const { machine, done, timeZone, refuse } = make();
    refuse(code);
    await expect(machine.setTimeZone('Europe/Paris')).rejects.toMatchObject({ code });
    expect(timeZone()).toBeUndefined();
    for (const act of machine.acts) {
      const error = await machine.perform(act).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Problem);
      expect((error as Problem).code).toBe(code);
    }
    expect(done()).toEqual([]);
    refuse(undefined);
    await machine.perform('reboot');
    expect(done()).toEqual(['reboot']);
  });
}
