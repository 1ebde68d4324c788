import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import { html } from './html.ts';
import { Icon } from './icons.ts';

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** Draws the control with the id that the label names and the id of what describes it. */
  children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ComponentChildren;
}

/** A control with its label, and beside it what it is for and what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps): VNode {
  const id = useId();
  const noteId = useId();
  const note = error ?? hint;
  return html`
    <div class="field" data-invalid=${error ? 'yes' : undefined}>
      <label for=${id}>${label}</label>
      ${children({ id, describedBy: note ? noteId : undefined, invalid: error !== undefined })}
      ${note && html`<p class="field-note" id=${noteId}>${error && html`<${Icon} name="warning" />`}<span>${note}</span></p>`}
    </div>
  `;
}

interface TextFieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string | undefined;
  error?: string | undefined;
  type?: string;
  /** Further attributes of the input. */
  [attribute: string]: unknown;
}

export function TextField({ label, value, onInput, hint, error, type = 'text', ...attributes }: TextFieldProps): VNode {
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${({ id, describedBy, invalid }: { id: string; describedBy?: string; invalid: boolean }) => html`
        <input
          id=${id}
          type=${type}
          value=${value}
          aria-describedby=${describedBy}
          aria-invalid=${invalid}
          onInput=${(event: InputEvent) => onInput((event.target as HTMLInputElement).value)}
          ...${attributes}
        />
      `}
    <//>
  `;
}

interface SelectFieldProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onInput: (value: string) => void;
  hint?: string | undefined;
  error?: string | undefined;
  disabled?: boolean;
}

export function SelectField({ label, value, options, onInput, hint, error, disabled }: SelectFieldProps): VNode {
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${({ id, describedBy }: { id: string; describedBy?: string }) => html`
        <select id=${id} value=${value} disabled=${disabled} aria-describedby=${describedBy} onChange=${(event: Event) => onInput((event.target as HTMLSelectElement).value)}>
          ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
        </select>
      `}
    <//>
  `;
}

/** On or off, with its label beside it. */
export function SwitchField({
  label,
  value,
  onInput,
  hint,
  disabled,
}: {
  label: string;
  value: boolean;
  onInput: (value: boolean) => void;
  hint?: string;
  disabled?: boolean;
}): VNode {
  const id = useId();
  return html`
    <div class="field inline">
      <div><span id=${id} class="label">${label}</span>${hint && html`<p class="field-note"><span>${hint}</span></p>`}</div>
      <button type="button" role="switch" class="switch" aria-checked=${value} aria-labelledby=${id} disabled=${disabled} onClick=${() => onInput(!value)}>
        <span class="thumb"></span>
      </button>
    </div>
  `;
}
