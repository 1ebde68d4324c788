import { type ReadonlySignal, useComputed } from '@preact/signals';
import { createContext, type VNode } from 'preact';
import { useContext } from 'preact/hooks';
import { ageText } from '../client/age.ts';
import { html } from './html.ts';

/** The box's time, once a second. */
export const Now = createContext<ReadonlySignal<number> | undefined>(undefined);

export function useNow(): ReadonlySignal<number> {
  const now = useContext(Now);
  if (!now) throw new Error('a clock is wanted around this component');
  return now;
}

/** `3 s ago`, counting; nothing while the time is not known. Only its text changes. */
export function Age({ timeMs }: { timeMs: ReadonlySignal<number | undefined> }): VNode {
  const now = useNow();
  const text = useComputed(() => (timeMs.value === undefined ? '' : ageText(now.value - timeMs.value)));
  return html`<span class="age">${text}</span>`;
}
