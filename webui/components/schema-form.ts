import type { SettingsView } from '@ledge/contract';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { bytesText, numberText } from '../client/format.ts';
import { choicesOf, type FieldSchema, type InputFault, inputOf, kindOf, limitsOf, valueFor } from '../client/json-schema.ts';
import { words } from '../words/words.ts';
import { html } from './html.ts';
import { Icon } from './icons.ts';
import '../styles/schema-form.css';

type Source = SettingsView['sources'][string];
/** What was typed and is not saved, by key; `null` brings the default back. */
export type Draft = Readonly<Record<string, string | boolean | null>>;

function faultText(fault: InputFault): string {
  const t = words('admin').form.faults;
  return 'limit' in fault ? t[fault.kind](numberText(fault.limit)) : t[fault.kind];
}

/** The values that a draft stands for; what cannot be one is told by field. */
export function readDraft(schema: FieldSchema, draft: Draft): { values: Record<string, unknown>; errors: Record<string, string> } {
  const values: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const [key, input] of Object.entries(draft)) {
    const read = input === null ? { value: null } : valueFor(schema.properties?.[key] ?? {}, input);
    if ('fault' in read) errors[key] = faultText(read.fault);
    else values[key] = read.value;
  }
  return { values, errors };
}

/** Problems name fields as `key` or `key.0.part`; each belongs beside its key. */
export const errorOf = (errors: Readonly<Record<string, string>>, key: string): string | undefined =>
  errors[key] ?? Object.entries(errors).find(([field]) => field.startsWith(`${key}.`))?.[1];

interface ControlProps {
  id: string;
  schema: FieldSchema;
  input: string | boolean;
  locked: boolean;
  describedBy: string | undefined;
  invalid: boolean;
  onInput: (input: string | boolean) => void;
}

function Control({ id, schema, input, locked, describedBy, invalid, onInput }: ControlProps): VNode {
  const t = words('admin').form;
  const typed = (event: Event) => onInput((event.target as HTMLInputElement).value);
  const common = { id, disabled: locked, 'aria-describedby': describedBy, 'aria-invalid': invalid };
  const kind = kindOf(schema);
  switch (kind) {
    case 'switch':
      return html`
        <button type="button" role="switch" class="switch" aria-checked=${input} onClick=${() => onInput(input !== true)} ...${common}><span class="thumb"></span></button>
      `;
    case 'choice':
      return html`
        <select ...${common} value=${input} onChange=${typed}>
          ${choicesOf(schema).map((choice) => html`<option key=${choice} value=${choice} selected=${choice === input}>${choice}</option>`)}
        </select>
      `;
    case 'number': {
      const { unit } = schema;
      return html`
        <span class=${unit ? 'with-unit' : undefined}>
          <input ...${common} type="text" inputmode=${schema.type === 'integer' ? 'numeric' : 'decimal'} autocomplete="off" value=${input} onInput=${typed} />
          ${unit && html`<span class="unit">${unit}</span>`}
        </span>
      `;
    }
    case 'list':
    case 'json':
      return html`<textarea ...${common} spellcheck=${false} rows=${Math.min(8, Math.max(2, String(input).split('\n').length))} value=${input} onInput=${typed}></textarea>`;
    case 'secret':
      return html`<input ...${common} type="password" autocomplete="new-password" placeholder=${t.secret} value=${input} onInput=${typed} />`;
    case 'text':
      return html`<input ...${common} type="text" autocomplete="off" spellcheck=${false} maxlength=${schema.maxLength} value=${input} onInput=${typed} />`;
  }
}

function rangeText(schema: FieldSchema): string | undefined {
  if (kindOf(schema) === 'list') return words('admin').form.onePerLine;
  if (kindOf(schema) !== 'number') return undefined;
  const { min, max } = limitsOf(schema);
  const t = words('admin').form;
  const told = schema.unit === 'B' ? bytesText : numberText;
  if (min !== undefined && max !== undefined) return t.range(told(min), told(max));
  if (min !== undefined) return t.atLeast(told(min));
  return max === undefined ? undefined : t.atMost(told(max));
}

interface SchemaFieldProps {
  name: string;
  schema: FieldSchema;
  /** What is in force; absent for secrets and for what was never set. */
  value: unknown;
  draft: string | boolean | null | undefined;
  source: Source | undefined;
  error: string | undefined;
  /** `undefined`: as it was. */
  onInput: (input: string | boolean | null | undefined) => void;
}

function SchemaField({ name, schema, value, draft, source, error, onInput }: SchemaFieldProps): VNode {
  const t = words('admin').form;
  const id = useId();
  const noteId = useId();
  const locked = source === 'environment';
  const before = inputOf(schema, value);
  const input = draft === null ? inputOf(schema, schema.default) : (draft ?? before);
  const change = (next: string | boolean) => onInput(next === before ? undefined : next);
  const range = rangeText(schema);
  const size = schema.unit === 'B' && Number(input) >= 1024 ? bytesText(Number(input)) : undefined;
  const origin = draft === undefined ? source && t.sources[source] : draft === null ? t.sources.default : t.changed;
  return html`
    <div class="setting" data-invalid=${error ? 'yes' : undefined} data-changed=${draft === undefined ? undefined : 'yes'}>
      <div class="setting-what">
        <label for=${id}>${schema.title ?? name}</label>
        ${schema.restart && html`<span class="tag">${t.restart}</span>`}
        ${(schema.description ?? range) && html`<p class="soft">${[schema.description, range].filter(Boolean).join(' · ')}</p>`}
      </div>
      <div class="setting-value">
        <${Control} id=${id} schema=${schema} input=${input} locked=${locked} describedBy=${noteId} invalid=${error !== undefined} onInput=${change} />
        <div class="setting-note">
          <p id=${noteId} class=${error ? 'field-note bad' : 'field-note'}>
            ${error ? html`<${Icon} name="warning" />` : locked && html`<${Icon} name="lock" />`}
            <span>${error ?? (locked ? t.locked : [origin, size].filter(Boolean).join(' · '))}</span>
          </p>
          ${
            draft !== undefined
              ? html`<button type="button" class="link small" aria-label=${t.undoOf(schema.title ?? name)} onClick=${() => onInput(undefined)}>${words('shell').undo}</button>`
              : source === 'settings' &&
                html`<button type="button" class="link small" aria-label=${t.toDefaultOf(schema.title ?? name)} onClick=${() => onInput(null)}>${t.toDefault}</button>`
          }
        </div>
      </div>
    </div>
  `;
}

interface SchemaFieldsProps {
  schema: FieldSchema;
  values?: Readonly<Record<string, unknown>>;
  sources?: Readonly<Record<string, Source>>;
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  onDraft: (draft: Draft) => void;
}

/** The fields of a form, drawn from a JSON Schema. What is changed goes into a draft; {@link readDraft} makes values of it. */
export function SchemaFields({ schema, values = {}, sources = {}, draft, errors, onDraft }: SchemaFieldsProps): VNode {
  return html`
    <div class="settings">
      ${Object.entries(schema.properties ?? {}).map(
        ([key, field]) => html`
          <${SchemaField}
            key=${key}
            name=${key}
            schema=${field}
            value=${values[key]}
            draft=${draft[key]}
            source=${sources[key]}
            error=${errorOf(errors, key)}
            onInput=${(input: string | boolean | null | undefined) => {
              const { [key]: _, ...others } = draft;
              onDraft(input === undefined ? others : { ...others, [key]: input });
            }}
          />
        `,
      )}
    </div>
  `;
}
