import type { Datatype } from '@ledge/contract';
import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import { isStale } from '../client/age.ts';
import { colourOf, type PropertyInfo } from '../client/homie.ts';
import type { PropertyModel } from '../client/things.ts';
import { ageText, useNow } from '../components/age.ts';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { problemText } from '../components/problem-text.ts';
import { reading } from '../components/value-text.ts';
import { words } from '../words/words.ts';
import { controlFor } from './controls.ts';
import { SparkLine } from './spark.ts';

/** What is read as words and may take more than one line; the others are read at a glance. */
const WORDY: readonly Datatype[] = ['string', 'json', 'datetime', 'color'];
/** Numerals of more signs than this are set smaller, so that they fit a small tile. */
const SHORT_SIGNS = 7;

export const isNumber = ({ datatype }: PropertyInfo): boolean => datatype === 'float' || datatype === 'integer';
/** How many columns a tile takes. */
export const columnsOf = ({ datatype, settable }: PropertyInfo): number =>
  datatype === 'json' || (datatype === 'string' && settable) ? 2 : 1;

/** Has this value been silent for longer than it usually is? */
export function useStale({ timeMs, rhythmMs }: PropertyModel): ReadonlySignal<boolean> {
  const now = useNow();
  return useComputed(() => timeMs.value !== undefined && isStale(now.value - timeMs.value, rhythmMs.value));
}

function AgeNote({ property, stale }: { property: PropertyModel; stale: ReadonlySignal<boolean> }): VNode {
  const now = useNow();
  const text = useComputed(() => {
    const timeMs = property.timeMs.value;
    if (timeMs === undefined) return '\u00a0';
    const age = ageText(now.value - timeMs);
    return stale.value ? `${age} · ${words('dashboard').silent}` : age;
  });
  return html`<span class="note age">${text}</span>`;
}

/** What stands at the bottom: how a command ended, why there is no value, or how old it is. */
function Note({ property, stale }: { property: PropertyModel; stale: ReadonlySignal<boolean> }): VNode {
  const t = words('dashboard');
  const command = property.command.value;
  if (command?.state === 'pending') return html`<span class="note">${t.setting}</span>`;
  if (command?.state === 'acknowledged') return html`<span class="note good"><${Icon} name="check" />${t.wasSet}</span>`;
  if (command?.state === 'rejected')
    return html`<span class="note bad"><${Icon} name="warning" /><span>${problemText(command.error)}</span></span>`;
  const fault = property.fault.value;
  if (fault) return html`<span class="note bad"><${Icon} name="warning" /><span>${fault}</span></span>`;
  return html`<${AgeNote} property=${property} stale=${stale} />`;
}

/** A value that is only looked at. Its text changes alone, without drawing the tile again. */
export function Reading({ property }: { property: PropertyModel }): VNode {
  const info = property.info.value;
  const shown = useComputed(() => reading(info, property.payload.value ?? ''));
  const text = useComputed(() => shown.value.text || '–');
  const unit = useComputed(() => shown.value.unit);
  const long = useComputed(() => (shown.value.text.length + shown.value.unit.length / 2 > SHORT_SIGNS ? 'yes' : undefined));
  return html`<span class=${WORDY.includes(info.datatype) ? 'reading wordy' : 'reading'} data-long=${long}><span class="value">${text}</span> <span class="unit">${unit}</span></span>`;
}

/** A colour as such, beside its numbers. */
function Swatch({ property }: { property: PropertyModel }): VNode | null {
  const colour = colourOf(property.payload.value ?? '');
  return colour === undefined
    ? null
    : html`<svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0h1v1H0z" fill=${colour} /></svg>`;
}

interface TileFrameProps {
  name: ComponentChildren;
  columns?: number;
  children: ComponentChildren;
  note: ComponentChildren;
  /** Further attributes of the tile. */
  [attribute: string]: unknown;
}

/** A small surface: what it is, how it stands, and what to know about that. */
export const TileFrame = ({ name, columns = 1, children, note, ...attributes }: TileFrameProps): VNode => html`
  <div class="tile" style=${{ '--w': columns }} ...${attributes}>
    <dt class="tile-name">${name}</dt>
    <dd class="tile-value">${children}</dd>
    <dd class="tile-note">${note}</dd>
  </div>
`;

interface TileProps {
  property: PropertyModel;
  canSet: boolean;
  /** Another name than the property's own. */
  title?: string;
}

/** A property as what it is: a number with its last hour, a switch, a choice, a colour, a text. */
export function Tile({ property, canSet, title }: TileProps): VNode {
  const { live } = useBox();
  const labelId = useId();
  const info = property.info.value;
  const stale = useStale(property);
  const staleMark = useComputed(() => (stale.value ? 'yes' : undefined));
  const on = useComputed(() => (info.datatype === 'boolean' && property.payload.value === 'true' ? 'yes' : undefined));
  const Control = controlFor(property);
  const name = title ?? info.name;
  const href = `/history/${property.thing}/${property.key}`;
  return html`
    <${TileFrame}
      columns=${columnsOf(info)}
      data-reading=${Control ? undefined : 'yes'}
      data-stale=${staleMark}
      data-on=${on}
      name=${html`<a id=${labelId} href=${href} data-over title=${name}>${name}</a>`}
      note=${html`<${Note} property=${property} stale=${stale} />`}
    >
      ${isNumber(info) && html`<${SparkLine} property=${property} />`}
      ${
        Control
          ? html`<${Control} property=${property} labelledBy=${labelId} disabled=${!canSet} onSet=${(value: string | number | boolean) => void live.command(property, value)} />`
          : html`${info.datatype === 'color' && html`<${Swatch} property=${property} />`}<${Reading} property=${property} />`
      }
    <//>
  `;
}
