import { type Check, type Finding, fault, ok, warning } from '../check.ts';
import { BOOT_COMPLETE, BOOT_LASTED, type Facts, TARGET } from '../facts.ts';
import { plural, some, span } from '../words.ts';

/** A service that began again so often has more than bad luck. */
const RESTARTS_ALLOWED = 3;
/** What ran once and is done, or found that there was nothing to do (systemd.service(5), ExecCondition=). */
const DONE = ['success', 'exec-condition'];
/** How long a start may take, all in all. */
const START_WITHIN_S = 180;

/** The services, expected or wanted by the target; the end of the start has a check of its own. */
export async function serviceUnits(facts: Facts): Promise<Map<string, Record<string, string>>> {
  const units = new Map(await facts.ledgeUnits());
  for (const name of [TARGET, BOOT_COMPLETE, BOOT_LASTED]) units.delete(name);
  return units;
}

const nameOf = (unit: string) => unit.replace(/^ledge-|\.service$/g, '');

export const failedUnits: Check = {
  name: 'units',
  title: 'Units',
  imageOnly: true,
  async look(facts) {
    const names = await facts.failedUnits();
    if (names.length === 0) return ok('no unit has failed');
    const judge = names.some((name) => name.startsWith('ledge')) ? fault : warning;
    return judge(`${some(names)} failed`, 'no failed unit', `journalctl -b -u ${names[0]} tells why`);
  },
};

interface Trouble {
  state: 'fault' | 'warning';
  words: string;
  unit: string;
}

function troubleOf(unit: string, properties: Record<string, string> | undefined): Trouble | undefined {
  const { LoadState, ActiveState = 'unknown', SubState, Type, Result, NRestarts } = properties ?? {};
  if (LoadState === undefined || LoadState === 'not-found') return { state: 'fault', words: `${unit} does not exist`, unit };
  if (LoadState !== 'loaded') return { state: 'fault', words: `${unit} cannot be loaded (${LoadState})`, unit };
  const doneOnce = Type === 'oneshot' && ActiveState === 'inactive' && DONE.includes(Result ?? '');
  if (ActiveState === 'active' || doneOnce) {
    const restarts = Number(NRestarts ?? 0);
    if (restarts <= RESTARTS_ALLOWED) return undefined;
    return { state: 'warning', words: `${nameOf(unit)} was restarted ${restarts} times`, unit };
  }
  if (ActiveState === 'activating' && SubState !== 'auto-restart') return { state: 'warning', words: `${nameOf(unit)} is starting`, unit };
  return { state: 'fault', words: `${nameOf(unit)} is ${SubState === 'auto-restart' ? 'waiting to be restarted' : ActiveState}`, unit };
}

export const services: Check = {
  name: 'services',
  title: 'Services',
  imageOnly: true,
  async look(facts) {
    const units = await serviceUnits(facts);
    const troubles = [...units].flatMap(([unit, properties]) => troubleOf(unit, properties) ?? []);
    for (const name of await facts.serviceNames()) {
      const unit = `ledge-${name}.service`;
      if (!units.has(unit)) troubles.push({ state: 'fault', words: `${unit} does not exist`, unit });
    }
    const running = [...units.values()].filter(({ Type }) => Type !== 'oneshot').length;
    if (troubles.length === 0) return ok(`${plural(running, 'service')} run, none was restarted more than ${RESTARTS_ALLOWED} times`);
    const judge = troubles.some(({ state }) => state === 'fault') ? fault : warning;
    const first = troubles.find(({ state }) => state === 'fault') ?? troubles[0];
    return judge(
      troubles.map(({ words }) => words).join(', '),
      'each active, and restarted at most 3 times',
      `ledge logs ${nameOf(first?.unit ?? '')}`.trim(),
    );
  },
};

export const target: Check = {
  name: 'target',
  title: 'Start-up',
  imageOnly: true,
  async look(facts): Promise<Finding> {
    const units = await facts.ledgeUnits();
    const state = (name: string) => units.get(name)?.ActiveState ?? 'missing';
    const reached = state(TARGET) === 'active';
    const complete = state(BOOT_COMPLETE) === 'active' || isDone(units.get(BOOT_LASTED));
    if (reached && complete) return ok('ledge.target was reached, and the start was noted as complete');
    const seen = reached ? 'ledge.target was reached, but the start was not noted as complete' : `ledge.target is ${state(TARGET)}`;
    const wanted = 'ledge.target active, and the start noted as complete';
    if ((await facts.uptimeS()) < START_WITHIN_S) return warning(`${seen}; the box is still starting`, wanted, 'look again in a minute');
    return fault(
      `${seen}, ${span(await facts.uptimeS())} after the start`,
      wanted,
      'systemctl list-jobs and ledge logs tell what it waits for',
    );
  },
};

const isDone = (unit: Record<string, string> | undefined) =>
  unit?.LoadState === 'loaded' && unit.Result === 'success' && Number(unit.ExecMainExitTimestampMonotonic ?? 0) > 0;
