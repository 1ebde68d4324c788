import type { DoctorCheck } from '@ledge/contract';
import type { Facts } from './facts.ts';

/** What a check says: state, what was seen, what was wanted, and what to do. */
export type Finding = Omit<DoctorCheck, 'name' | 'title'>;

export interface Check {
  /** Stable, for programs. */
  name: string;
  /** For people. */
  title: string;
  /** Only the card image has what this looks at; elsewhere it is skipped. */
  imageOnly?: true;
  /** May throw `Unseen`: the check is then skipped with that reason. */
  look(facts: Facts): Promise<Finding> | Finding;
}

export const ok = (seen: string): Finding => ({ state: 'ok', seen });
export const skipped = (why: string): Finding => ({ state: 'skipped', seen: why });
export const warning = (seen: string, wanted: string, hint?: string): Finding => bad('warning', seen, wanted, hint);
export const fault = (seen: string, wanted: string, hint?: string): Finding => bad('fault', seen, wanted, hint);

const bad = (state: 'warning' | 'fault', seen: string, wanted: string, hint: string | undefined): Finding => ({
  state,
  seen,
  wanted,
  ...(hint === undefined ? {} : { hint }),
});
