import type { Datatype } from '@ledge/contract';
import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { isStale } from '../client/age.ts';
import { colourOf, shownValue } from '../client/homie.ts';
import type { PropertyModel } from '../client/things.ts';
import { Age, useNow } from '../components/age.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { controlFor } from './controls.ts';

interface RowProps {
  property: PropertyModel;
  canSet: boolean;
  onSet: (property: PropertyModel, value: string | number | boolean) => void;
}

/** What stands under the name: how a command ended, why there is no value, or how old it is. */
function Note({ property }: { property: PropertyModel }): VNode {
  const command = property.command.value;
  if (command?.state === 'pending') return html`<span class="note">Setting…</span>`;
  if (command?.state === 'acknowledged') return html`<span class="note good"><${Icon} name="check" />Set</span>`;
  if (command?.state === 'rejected') return html`<span class="note bad"><${Icon} name="warning" />${command.reason}</span>`;
  const fault = property.fault.value;
  if (fault) return html`<span class="note bad"><${Icon} name="warning" />${fault}</span>`;
  return html`<${Age} timeMs=${property.timeMs} />`;
}

/** What is read as words and may take more than one line; the others are read at a glance. */
const WORDY: readonly Datatype[] = ['string', 'json', 'datetime', 'duration', 'color'];

/** A colour as such, beside its numbers. */
function Swatch({ property }: { property: PropertyModel }): VNode | null {
  const colour = colourOf(property.payload.value ?? '');
  return colour === undefined
    ? null
    : html`<svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0h1v1H0z" fill=${colour} /></svg>`;
}

/** A value that is only looked at. Its text changes alone, without drawing the row again. */
function Reading({ property }: { property: PropertyModel }): VNode {
  const info = property.info.value;
  const text = useComputed(() => shownValue(info, property.payload.value ?? '') || '–');
  const wide = WORDY.includes(info.datatype);
  return html`<span class=${wide ? 'reading wide' : 'reading'}>${info.datatype === 'color' && html`<${Swatch} property=${property} />`}<span class="value">${text}</span>${info.unit && html`<span class="unit">${info.unit}</span>`}</span>`;
}

export function PropertyRow({ property, canSet, onSet }: RowProps): VNode {
  const labelId = useId();
  const now = useNow();
  const { name } = property.info.value;
  const stale = useComputed(() => {
    const timeMs = property.timeMs.value;
    return timeMs !== undefined && isStale(now.value - timeMs, property.rhythmMs.value) ? 'yes' : undefined;
  });
  const Control = controlFor(property);
  return html`
    <div class="row" data-stale=${stale}>
      <dt>
        <span class="name" id=${labelId}>${name}</span>
        <${Note} property=${property} />
      </dt>
      <dd>
        ${
          Control
            ? html`<${Control} property=${property} labelledBy=${labelId} disabled=${!canSet} onSet=${(value: string | number | boolean) => onSet(property, value)} />`
            : html`<${Reading} property=${property} />`
        }
      </dd>
    </div>
  `;
}
