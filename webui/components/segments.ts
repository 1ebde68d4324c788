import type { VNode } from 'preact';
import { html } from './html.ts';

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, text: string])[];
  onChoose: (value: T) => void;
}

/** A choice between a few words, all of them in sight. */
export const Segments = <T extends string>({ label, value, options, onChoose }: SegmentsProps<T>): VNode => html`
  <div class="segments" role="group" aria-label=${label}>
    ${options.map(
      ([key, text]) =>
        html`<button key=${key} type="button" aria-pressed=${key === value} onClick=${() => key !== value && onChoose(key)}>${text}</button>`,
    )}
  </div>
`;
