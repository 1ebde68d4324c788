import { type ReadonlySignal, useComputed } from '@preact/signals';
import { createContext, type VNode } from 'preact';
import { useContext } from 'preact/hooks';
import { spanText } from '../client/format.ts';
import { words } from '../words/words.ts';
import { html } from './html.ts';

const NOW_S = 2;

/** How long ago, as people say it; always short, so that nothing moves when it changes. */
export function ageText(ageMs: number): string {
  const { now, ago } = words('shell').ago;
  const ageS = ageMs / 1000;
  return ageS < NOW_S ? now : ago(spanText(ageS, 1));
}

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
