import type { Preferences } from '@ledge/contract';
import type { Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from '../client/api.ts';
import type { Live } from '../client/live.ts';
import type { Session } from '../client/session.ts';

/** What every page of a signed-in person may use. */
export interface Box {
  readonly api: Api;
  readonly live: Live;
  readonly session: Session;
  readonly user: string;
  readonly isAdmin: boolean;
  readonly preferences: Signal<Preferences>;
  /** Keeps some of the person's preferences on the box. */
  readonly changePreferences: (some: Partial<Preferences>) => Promise<void>;
}

export const BoxContext = createContext<Box | undefined>(undefined);

export function useBox(): Box {
  const box = useContext(BoxContext);
  if (!box) throw new Error('a box is wanted around this component');
  return box;
}
