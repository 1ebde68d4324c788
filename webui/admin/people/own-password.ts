import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { Dialog } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notify } from '../../components/notices.ts';
import { PasswordInput } from '../../components/password-input.ts';
import { words } from '../../words/words.ts';
import { useForm } from '../use-form.ts';
import { FormButtons } from './fields.ts';

function PasswordDialog({ onClose }: { onClose: () => void }): VNode {
  const { api, user } = useBox();
  const t = words('people');
  const [old, setOld] = useState('');
  const [wanted, setWanted] = useState('');
  const form = useForm(
    async () => {
      await api.server.password({ body: { old, new: wanted } });
      notify(t.password.changed);
      onClose();
    },
    { 'wrong-password': 'old', 'too-many-tries': 'old', 'weak-password': 'new' },
  );
  return html`
    <${Dialog} title=${t.password.title} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${form.onSubmit}>
        <p class="soft">${t.password.text}</p>
        <input class="visually-hidden" type="text" name="username" value=${user} autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
        <${PasswordInput} label=${t.password.old} error=${form.errors.old} value=${old} onInput=${setOld} autocomplete="current-password" required />
        <${PasswordInput} label=${t.password.new} hint=${t.people.passwordHint} error=${form.errors.new} value=${wanted} onInput=${setWanted} autocomplete="new-password" required />
        <${FormButtons} busy=${form.busy} onCancel=${onClose} />
      </form>
    <//>
  `;
}

/** The password of whoever looks at the page. */
export function OwnPassword(): VNode {
  const t = words('people').password;
  const [open, setOpen] = useState(false);
  return html`
    <section class="panel" aria-labelledby="password-title">
      <div class="panel-head">
        <div><h2 id="password-title">${t.title}</h2><p class="soft">${t.text}</p></div>
        <button type="button" onClick=${() => setOpen(true)}><${Icon} name="key" />${t.change}</button>
      </div>
      ${open && html`<${PasswordDialog} onClose=${() => setOpen(false)} />`}
    </section>
  `;
}
