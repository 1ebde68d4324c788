import { Problem } from '@ledge/contract';
import { ACT_WORDS, type Machine, type MachineFacts } from './machine.ts';

/** A PC or a container: it tells what it knows, and its owner restarts and sets it, not we. */
export function plainMachine(kind: string, facts: () => Promise<MachineFacts> = async () => ({ machine: kind })): Machine {
  const refuse = async (what: string) => {
    throw new Problem('not-supported', `This machine (${kind}) does not ${what} when Ledge asks; only the card image does.`);
  };
  return {
    acts: [],
    facts,
    allows: (act) => refuse(ACT_WORDS[act]),
    perform: (act) => refuse(ACT_WORDS[act]),
    setTimeZone: () => refuse('change its time zone'),
  };
}
