import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { colourOf, enumValues, numberLimits, rgbOf, textOf } from '../client/homie.ts';
import type { PropertyModel } from '../client/things.ts';
import { html } from '../components/html.ts';
import { booleanWords } from '../components/value-text.ts';
import { words } from '../words/words.ts';

export interface ControlProps {
  property: PropertyModel;
  /** Id of the element that names the property. */
  labelledBy: string;
  disabled: boolean;
  onSet: (value: string | number | boolean) => void;
}

/** What a control shows: what was asked for while that is on its way, else what the thing says. */
function wantedOf({ command, payload }: PropertyModel): { payload: string; pending: boolean } {
  const pending = command.value?.state === 'pending';
  return { payload: textOf((pending ? command.value?.payload : payload.value) ?? ''), pending };
}

export function Switch({ property, labelledBy, disabled, onSet }: ControlProps): VNode {
  const { payload, pending } = wantedOf(property);
  const on = payload === 'true';
  const { on: onWord, off: offWord } = booleanWords(property.info.value.format);
  return html`
    <span class="switch-with-word">
      <span class="word">${on ? onWord : offWord}</span>
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked=${on}
        aria-labelledby=${labelledBy}
        aria-busy=${pending}
        disabled=${disabled}
        onClick=${() => !pending && onSet(!on)}
      >
        <span class="thumb"></span>
      </button>
    </span>
  `;
}

export function Choice({ property, labelledBy, disabled, onSet }: ControlProps): VNode {
  const { payload, pending } = wantedOf(property);
  const values = enumValues(property.info.value.format);
  // a value outside the list is shown as it is, and not as the first of the list
  const shown = values.includes(payload) ? values : [payload, ...values];
  return html`
    <select
      aria-labelledby=${labelledBy}
      aria-busy=${pending}
      disabled=${disabled || pending}
      value=${payload}
      onChange=${(event: Event) => onSet((event.target as HTMLSelectElement).value)}
    >
      ${shown.map((value) => html`<option key=${value} value=${value} selected=${value === payload}>${value || '–'}</option>`)}
    </select>
  `;
}

/** A colour, chosen with the browser's own means. */
export function Colour({ property, labelledBy, disabled, onSet }: ControlProps): VNode {
  const { payload, pending } = wantedOf(property);
  return html`
    <input
      type="color"
      aria-labelledby=${labelledBy}
      aria-busy=${pending}
      disabled=${disabled || pending}
      value=${colourOf(payload) ?? '#000000'}
      onChange=${(event: Event) => onSet(rgbOf((event.target as HTMLInputElement).value))}
    />
  `;
}

/** A number or text that is typed: sent with Enter or the button, taken back with Escape. */
export function Entry({ property, labelledBy, disabled, onSet }: ControlProps): VNode {
  const { payload, pending } = wantedOf(property);
  const { datatype, format, unit } = property.info.value;
  const numeric = datatype === 'float' || datatype === 'integer';
  const [draft, setDraft] = useState<string>();
  const command = property.command.value;
  // a refused value stays, so that it can be corrected
  useEffect(() => {
    if (command?.state === 'acknowledged') setDraft(undefined);
  }, [command]);
  const { min, max, step } = numberLimits(format);
  const changed = draft !== undefined && draft !== payload;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (changed && !pending) onSet(numeric ? Number(draft) : draft);
  };
  return html`
    <form class="entry" onSubmit=${submit} data-changed=${changed ? 'yes' : undefined}>
      <input
        type=${numeric ? 'number' : 'text'}
        inputmode=${numeric ? 'decimal' : undefined}
        min=${min}
        max=${max}
        step=${numeric ? (step ?? (datatype === 'integer' ? 1 : 'any')) : undefined}
        value=${draft ?? payload}
        required=${numeric}
        disabled=${disabled}
        readonly=${pending}
        aria-labelledby=${labelledBy}
        aria-busy=${pending}
        onInput=${(event: InputEvent) => setDraft((event.target as HTMLInputElement).value)}
        onKeyDown=${(event: KeyboardEvent) => event.key === 'Escape' && setDraft(undefined)}
      />
      <span class="after">
        <span class="unit">${unit}</span>
        <button class="primary" disabled=${!changed || pending || disabled}>${words('dashboard').set}</button>
      </span>
    </form>
  `;
}

/** The control that fits a datatype, or undefined for those that cannot be set from here. */
export function controlFor(property: PropertyModel): ((props: ControlProps) => VNode) | undefined {
  const { settable, datatype, format } = property.info.value;
  if (!settable) return undefined;
  switch (datatype) {
    case 'boolean':
      return Switch;
    case 'enum':
      return enumValues(format).length > 0 ? Choice : undefined;
    case 'color':
      return format.split(',').includes('rgb') ? Colour : undefined;
    case 'float':
    case 'integer':
    case 'string':
      return Entry;
    default:
      return undefined;
  }
}
