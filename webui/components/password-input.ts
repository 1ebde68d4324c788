import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
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
  /** Has the keyboard as soon as it is shown. */
  autofocus?: boolean;
  /** The id of a text elsewhere that tells about it, in place of hint and error. */
  told?: string;
}

/** A password that can be looked at: blind typing is what goes wrong. */
export function PasswordInput(props: PasswordFieldProps): VNode {
  const { label, value, onInput, autocomplete, hint, error, required = false, autofocus = false, told } = props;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (autofocus) input.current?.focus();
  }, [autofocus]);
  const [shown, setShown] = useState(false);
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${({ id, describedBy, invalid }: { id: string; describedBy?: string; invalid: boolean }) => html`
        <div class="with-button">
          <input
            id=${id}
            ref=${input}
            type=${shown ? 'text' : 'password'}
            value=${value}
            autocomplete=${autocomplete}
            autocapitalize="off"
            spellcheck=${false}
            maxlength="200"
            required=${required}
            aria-describedby=${told ?? describedBy}
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
