import { type Check, type Finding, fault, ok, skipped, warning } from '../check.ts';
import type { Facts } from '../facts.ts';
import { Unseen } from '../ports.ts';
import { parseProperties } from '../systemd.ts';
import { firstLine, span } from '../words.ts';

/** A new version is confirmed within minutes, or given up. */
const TRIAL_WITHIN_S = 15 * 60;
const CONFIRMED = 9;

interface RaucStatus {
  booted: string | undefined;
  /** Boot name of the slot that starts next. */
  primary: string | undefined;
  /** By boot name: `good` or `bad`. */
  states: Map<string, string>;
}

/** `rauc status --output-format=json`; undefined for other text. */
export function parseRaucStatus(text: string): RaucStatus | undefined {
  try {
    const { booted, boot_primary, slots } = JSON.parse(text) as Record<string, unknown>;
    const named = Object.assign({}, ...(Array.isArray(slots) ? slots : [])) as Record<
      string,
      { bootname?: unknown; boot_status?: unknown }
    >;
    const states = new Map<string, string>();
    for (const { bootname, boot_status } of Object.values(named))
      if (typeof bootname === 'string') states.set(bootname, String(boot_status));
    const primary = typeof boot_primary === 'string' ? named[boot_primary]?.bootname : undefined;
    return {
      booted: typeof booted === 'string' ? booted : undefined,
      primary: typeof primary === 'string' ? primary : undefined,
      states,
    };
  } catch {
    return undefined;
  }
}

async function onTrial(facts: Facts, seen: string): Promise<Finding> {
  const uptimeS = await facts.uptimeS();
  if (uptimeS < TRIAL_WITHIN_S) return ok(`${seen}; it will be confirmed when it has run well for a while`);
  return warning(
    `${seen}, ${span(uptimeS)} after its start`,
    'confirmed within 15 min',
    'the next start may go back to the version before; ledge doctor and ledge logs tell why it is not well',
  );
}

export const slots: Check = {
  name: 'slots',
  title: 'Slots',
  imageOnly: true,
  async look(facts) {
    const output = await facts.ports.run('rauc', ['status', '--output-format=json']);
    const status = output.code === 0 ? parseRaucStatus(output.stdout) : undefined;
    if (!status) throw new Unseen(`rauc: ${firstLine(output.stderr) || 'its answer cannot be read'}`);
    const { booted, primary, states } = status;
    const told = [...states]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, state]) => `${name} is ${state === 'good' ? 'good' : 'empty or given up'}`)
      .join(', ');
    const slot = (await facts.boot().catch(() => undefined))?.slot;
    if (booted === undefined) return fault('the updater does not know which slot runs', 'slot A or B');
    if (slot !== undefined && slot !== booted)
      return fault(`the updater takes slot ${booted} for the one that runs, but it is ${slot}`, 'the same');
    if (primary === undefined) return warning(`slot ${booted} runs; which starts next is not known (${told})`, `slot ${booted}`);
    if (primary !== booted)
      return warning(
        `slot ${booted} runs, but ${primary} starts next (${told})`,
        `slot ${booted}`,
        'after an update: restart the box to use it',
      );
    return ok(`slot ${booted} runs and starts next (${told})`);
  },
};

export const slotState: Check = {
  name: 'slot-state',
  title: 'Slot state',
  imageOnly: true,
  async look(facts) {
    const { run, user } = facts.ports;
    const slot = (await facts.boot())?.slot;
    if (slot === undefined) return skipped('the start left no word of its slot');
    const output = await run('fw_printenv', ['BOOT_ORDER', `BOOT_${slot}_LEFT`]);
    if (output.code !== 0) {
      const why = firstLine(output.stderr) || `fw_printenv ended with ${output.code}`;
      if (user !== 'root') throw new Unseen(`only root may read the slot state (${why})`);
      return fault(`the slot state cannot be read: ${why}`, 'a state that can be read', 'the boot loader then starts slot A');
    }
    const variables = parseProperties(output.stdout);
    const left = Number(variables[`BOOT_${slot}_LEFT`]);
    const order = variables.BOOT_ORDER ?? '';
    if (left === CONFIRMED) return ok(`slot ${slot} is confirmed; order of tries: ${order}`);
    if (left > 0) return await onTrial(facts, `slot ${slot} is on trial, ${left} of 3 tries left`);
    return fault(`slot ${slot} runs although it was given up`, 'confirmed', 'the next start will choose the other slot');
  },
};

export const bootReason: Check = {
  name: 'boot-reason',
  title: 'Reason of the slot',
  imageOnly: true,
  async look(facts) {
    const { slot, reason } = (await facts.boot()) ?? {};
    switch (reason) {
      case undefined:
        return skipped('the start left no word of it');
      case 'normal':
        return ok(`slot ${slot} was started as usual`);
      case 'trial':
        return await onTrial(facts, `slot ${slot} holds a new version on trial`);
      case 'fallback':
        return warning(
          `slot ${slot} was started because the other one did not come up`,
          'the newest version',
          'the update failed: try it again, or wait for a later version',
        );
      case 'last-resort':
        return fault(`slot ${slot} was started although no slot is confirmed`, 'a confirmed slot', 'install the newest version again');
      case 'state-lost':
        return warning(
          `slot ${slot} was started because the slot state was lost`,
          'a slot state that can be read',
          'when it comes again, replace the card',
        );
      default:
        return warning(`slot ${slot} was started for a reason that is not known: ${reason}`, 'normal');
    }
  },
};
