import type { Role } from '@ledge/contract';
import type { VNode } from 'preact';
import { SelectField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';

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
