import type { DeviceState } from '@ledge/contract';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import type { PropertyModel, ThingModel } from '../client/things.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { PropertyRow } from './property-row.ts';

/** Homie's life-cycle words as people say them; a thing that is ready needs none. */
const STATE_WORDS: Record<Exclude<DeviceState, 'ready'>, string> = {
  init: 'Starting',
  disconnected: 'Switched off',
  sleeping: 'Sleeping',
  lost: 'Not answering',
};

interface CardProps {
  thing: ThingModel;
  canSet: boolean;
  onSet: (property: PropertyModel, value: string | number | boolean) => void;
}

export function ThingCard({ thing, canSet, onSet }: CardProps): VNode {
  const titleId = useId();
  const state = thing.state.value;
  const away = state === 'lost' || state === 'disconnected';
  return html`
    <article class="card" aria-labelledby=${titleId} data-away=${away ? 'yes' : undefined}>
      <header>
        <h3 id=${titleId}>${thing.name}</h3>
        ${thing.room.value && html`<span class="room">${thing.room}</span>`}
        ${state !== 'ready' && html`<span class=${`badge ${state}`}>${STATE_WORDS[state]}</span>`}
      </header>
      ${thing.faults.value.map((fault) => html`<p class="fault" key=${fault}><${Icon} name="warning" /><span>${fault}</span></p>`)}
      <dl>
        ${thing.properties.value.map(
          (property) => html`<${PropertyRow} key=${property.key} property=${property} canSet=${canSet && !away} onSet=${onSet} />`,
        )}
      </dl>
    </article>
  `;
}
