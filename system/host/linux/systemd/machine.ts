import { type MachineAct, Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { ACT_WORDS, type Machine, type MachineFacts } from '../../machine.ts';
import { type BusCall, BusError } from './dbus-connection.ts';
import { SlotTable } from './slot-table.ts';
import type { SystemBus } from './system-bus.ts';
import { MANAGER, SYSTEMD } from './unit-table.ts';

/** The unit that notes the wish for a factory reset on the card and restarts. */
export const RESET_UNIT = 'ledge-reset.service';
/** org.freedesktop.login1(5). */
export const LOGIN = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
} as const;

const LOGIN_METHODS = { reboot: { can: 'CanReboot', act: 'Reboot' }, 'power-off': { can: 'CanPowerOff', act: 'PowerOff' } } as const;
const NOT_ALLOWED = ['org.freedesktop.DBus.Error.AccessDenied', 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'];
const NOT_THERE = ['org.freedesktop.systemd1.NoSuchUnit', 'org.freedesktop.login1.SleepVerbNotSupported'];

/** org.freedesktop.timedate1(5); the bus starts it when it is called, which takes a slow board a while. */
const TIMEDATE = {
  destination: 'org.freedesktop.timedate1',
  path: '/org/freedesktop/timedate1',
  interface: 'org.freedesktop.timedate1',
} as const;
const TIMEDATE_WITHIN_MS = 30_000;
/** Never asks anybody for a password: there is nobody at the box. */
const INTERACTIVE = false;
const NOT_A_ZONE = 'org.freedesktop.DBus.Error.InvalidArgs';

export interface ImagePorts {
  bus: SystemBus;
  clock: Clock;
  facts(): Promise<MachineFacts>;
}

/**
 * The card image: restarts and switches off through systemd-logind, resets through a unit of its own. Whether this process may is for
 * polkit to say.
 */
export function imageMachine({ bus, clock, facts }: ImagePorts): Machine {
  const slots = new SlotTable(bus, clock);

  async function ask(call: BusCall, act: MachineAct): Promise<unknown[]> {
    try {
      return await bus.call(call);
    } catch (error) {
      throw asProblem(error, ACT_WORDS[act]);
    }
  }

  async function allows(act: MachineAct): Promise<void> {
    if (act === 'factory-reset') {
      const [path] = await ask({ ...MANAGER, member: 'LoadUnit', signature: 's', body: [RESET_UNIT] }, act);
      const state = await bus.property(SYSTEMD, String(path), `${SYSTEMD}.Unit`, 'LoadState').catch((error: unknown) => {
        throw asProblem(error, ACT_WORDS[act]);
      });
      if (state !== 'loaded')
        throw new Problem('not-supported', `This machine cannot ${ACT_WORDS[act]}: ${RESET_UNIT} is ${String(state)}.`);
      return;
    }
    const [answer] = await ask({ ...LOGIN, member: LOGIN_METHODS[act].can }, act);
    if (answer === 'yes') return;
    // `challenge`: a person at a console could say a password; nobody is here
    if (answer === 'challenge' || answer === 'no') throw new Problem('not-allowed', `Ledge may not make this machine ${ACT_WORDS[act]}.`);
    throw new Problem('not-supported', `This machine cannot ${ACT_WORDS[act]} (${String(answer)}).`);
  }

  return {
    acts: ['reboot', 'power-off', 'factory-reset'],
    async facts() {
      const told = slots.newest();
      return { ...(await facts()), ...(told ? { slots: told } : {}) };
    },
    allows,
    async perform(act) {
      if (act === 'factory-reset') await ask({ ...MANAGER, member: 'StartUnit', signature: 'ss', body: [RESET_UNIT, 'replace'] }, act);
      else await ask({ ...LOGIN, member: LOGIN_METHODS[act].act, signature: 'b', body: [false] }, act);
    },
    async setTimeZone(zone) {
      try {
        await bus.call({ ...TIMEDATE, member: 'SetTimezone', signature: 'sb', body: [zone, INTERACTIVE] }, TIMEDATE_WITHIN_MS);
      } catch (error) {
        if (error instanceof BusError && error.busName === NOT_A_ZONE) {
          const message = `timeZone is ${zone}; one that this machine knows is wanted, such as Europe/Paris`;
          throw new Problem('invalid-value', message, { cause: error, errors: [{ field: 'timeZone', message }] });
        }
        throw asProblem(error, 'change its time zone');
      }
    },
    close: () => bus.close(),
  };
}

function asProblem(cause: unknown, what: string): Problem {
  if (cause instanceof Problem) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const name = cause instanceof BusError ? cause.busName : '';
  if (NOT_ALLOWED.includes(name)) return new Problem('not-allowed', `Ledge may not make this machine ${what}: ${why}`, { cause });
  if (NOT_THERE.includes(name)) return new Problem('not-supported', `This machine cannot ${what}: ${why}`, { cause });
  return new Problem('service-away', `This machine was asked to ${what}, but did not answer: ${why}`, { cause });
}
