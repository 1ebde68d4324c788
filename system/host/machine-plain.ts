import { Problem } from '@ledge/contract';
import { type FactFiles, machineFacts } from './linux/machine-facts.ts';
import { ACT_WORDS, type Machine } from './machine.ts';

/** A PC or a container: it tells what it knows, and its owner restarts it, not we. */
export function plainMachine(kind: string, files?: FactFiles): Machine {
  const refuse = async (act: keyof typeof ACT_WORDS) => {
    throw new Problem('not-supported', `This machine (${kind}) does not ${ACT_WORDS[act]} when Ledge asks; only the card image does.`);
  };
  return { acts: [], facts: () => machineFacts(kind, files), allows: refuse, perform: refuse };
}
