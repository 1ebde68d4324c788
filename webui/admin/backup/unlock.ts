import type { CheckedBackup } from '@ledge/contract';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { bytesText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { PasswordInput } from '../../components/password-input.ts';
import { words } from '../../words/words.ts';
import { useForm } from '../use-form.ts';

interface UnlockProps {
  checked: CheckedBackup;
  onOpened: (checked: CheckedBackup) => void;
  onDrop: () => void;
}

/** A backup that says nothing of itself before its passphrase is known. */
export function Unlock({ checked, onOpened, onDrop }: UnlockProps): VNode {
  const { api } = useBox();
  const t = words('backup').restore;
  const [passphrase, setPassphrase] = useState('');
  const form = useForm(async () => onOpened(await api.backup.unlock({ params: { id: checked.id }, body: { passphrase } })), {
    'backup-wrong-passphrase': 'passphrase',
    'backup-damaged': 'passphrase',
  });
  const place = useRef<HTMLFormElement>(null);
  useEffect(() => place.current?.querySelector('input')?.focus({ preventScroll: true }), []);
  return html`
    <form ref=${place} class="panel-body backup-form" onSubmit=${form.onSubmit}>
      <p class="told"><${Icon} name="lock" /><span><strong>${t.locked}</strong> · ${bytesText(checked.bytes)}</span></p>
      <${PasswordInput} label=${t.passphrase} error=${form.errors.passphrase} value=${passphrase} onInput=${setPassphrase} autocomplete="off" required />
      <div class="backup-go">
        <button class="primary" disabled=${form.busy}>${form.busy ? t.unlocking : t.unlock}</button>
        <button type="button" onClick=${onDrop}>${t.forget}</button>
      </div>
    </form>
  `;
}
