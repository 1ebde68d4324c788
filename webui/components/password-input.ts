import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { words } from '../words/words.ts';
import { Field } from './field.ts';
import { html } from './html.ts';
import { Icon } from './icons.ts';

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
