import type { Role } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Field, SelectField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';

interface PasswordFieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  autocomplete: 'current-password' | 'new-password' | 'off';
  hint?: string | undefined;
  error?: string | undefined;
  required?: boolean;
}

/** A password that can be looked at: blind typing is what goes wrong. */
export function PasswordInput({ label, value, onInput, autocomplete, hint, error, required = false }: PasswordFieldProps): VNode {
  const [shown, setShown] = useState(false);
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${({ id, describedBy, invalid }: { id: string; describedBy?: string; invalid: boolean }) => html`
        <div class="with-button">
          <input
            id=${id}
            type=${shown ? 'text' : 'password'}
            value=${value}
            autocomplete=${autocomplete}
            autocapitalize="off"
            spellcheck=${false}
            maxlength="200"
            required=${required}
            aria-describedby=${describedBy}
            aria-invalid=${invalid}
            onInput=${(event: InputEvent) => onInput((event.target as HTMLInputElement).value)}
          />
          <button type="button" class="plain" aria-pressed=${shown} aria-label=${words('shell').gate.showPassword} onClick=${() => setShown(!shown)}>
            <${Icon} name="eye" />
          </button>
        </div>
      `}
    <//>
  `;
}

export function RoleField({
  value,
  onInput,
  disabled = false,
  hint,
}: {
  value: Role;
  onInput: (role: Role) => void;
  disabled?: boolean;
  hint?: string;
}): VNode {
  const t = words('people');
  return html`<${SelectField} label=${t.role} hint=${hint ?? t.roleHint} disabled=${disabled} value=${value} options=${Object.entries(t.roles)} onInput=${onInput} />`;
}

interface FormButtonsProps {
  busy: boolean;
  onCancel: () => void;
  action?: string;
}
/** The end of each form in a dialog. */
export function FormButtons({ busy, onCancel, action }: FormButtonsProps): VNode {
  const t = words('shell');
  return html`
    <div class="buttons">
      <button type="button" onClick=${onCancel}>${t.cancel}</button>
      <button class="primary" disabled=${busy}>${action ?? (busy ? t.saving : t.save)}</button>
    </div>
  `;
}
