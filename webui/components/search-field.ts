import type { Signal } from '@preact/signals';
import type { VNode } from 'preact';
import { html } from './html.ts';
import { Icon } from './icons.ts';

/** A field that makes a list shorter while somebody writes. */
export const SearchField = ({ label, value }: { label: string; value: Signal<string> }): VNode => html`
  <div class="search-field" role="search">
    <${Icon} name="search" />
    <input type="search" value=${value} placeholder=${label} aria-label=${label} onInput=${(event: InputEvent) => {
      value.value = (event.currentTarget as HTMLInputElement).value;
    }} />
  </div>
`;
