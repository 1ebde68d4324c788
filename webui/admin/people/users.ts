import type { Role } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { confirmed, Dialog } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { PasswordInput } from '../../components/password-input.ts';
import { words } from '../../words/words.ts';
import { useForm } from '../use-form.ts';
import { FormButtons, RoleField } from './fields.ts';

interface User {
  name: string;
  role: Role;
}

interface UserDialogProps {
  /** Left out: a new person. */
  user: User | undefined;
  isLastAdmin: boolean;
  taken: readonly string[];
  onSaved: () => void;
  onClose: () => void;
}

function UserDialog({ user, isLastAdmin, taken, onSaved, onClose }: UserDialogProps): VNode {
  const { api } = useBox();
  const t = words('people').people;
  const [name, setName] = useState(user?.name ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer');
  const [password, setPassword] = useState('');
  // the same call changes a person who exists, so a name twice would be a new password for somebody else
  const exists = !user && taken.some((other) => other.toLowerCase() === name.trim().toLowerCase());
  const form = useForm(
    async () => {
      if (exists) return;
      await api.server.addUser({ body: { name: name.trim(), role, ...(password === '' ? {} : { password }) } });
      notify(user ? t.changed(name) : t.added(name.trim()));
      onSaved();
      onClose();
    },
    { 'weak-password': 'password' },
  );
  return html`
    <${Dialog} title=${user ? t.editTitle(user.name) : t.add} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${form.onSubmit}>
        ${!user && html`<${TextField} label=${t.name} hint=${t.nameHint} error=${exists ? t.exists(name.trim()) : form.errors.name} value=${name} onInput=${setName} required maxlength="64" autocomplete="off" autocapitalize="off" spellcheck=${false} />`}
        <${RoleField} value=${role} onInput=${setRole} disabled=${isLastAdmin} hint=${isLastAdmin ? t.lastAdmin : undefined} />
        <${PasswordInput}
          label=${user ? t.newPassword : t.password}
          hint=${user ? t.passwordKept : t.passwordHint}
          error=${form.errors.password}
          value=${password}
          onInput=${setPassword}
          autocomplete="new-password"
          required=${!user}
        />
        <${FormButtons} busy=${form.busy} onCancel=${onClose} />
      </form>
    <//>
  `;
}

/** People who may sign in, and what each may do. */
export function Users(): VNode {
  const { api, user: me } = useBox();
  const t = words('people');
  const users = useLoad((signal) => api.server.users({ signal }));
  const [open, setOpen] = useState<User | 'new'>();
  const list = users.content.value ?? [];
  const lastAdmin = list.filter(({ role }) => role === 'admin').length === 1 ? list.find(({ role }) => role === 'admin')?.name : undefined;
  const remove = async ({ name }: User) => {
    if (!(await confirmed({ title: t.people.askRemove(name), text: t.people.askRemoveText, action: words('shell').remove, danger: true })))
      return;
    await api.server
      .removeUser({ params: { name } })
      .then(() => notify(t.people.removed(name)))
      .catch(notifyProblem);
    await users.load();
  };
  return html`
    <section class="panel" aria-labelledby="users-title">
      <div class="panel-head">
        <h2 id="users-title">${t.people.title}</h2>
        <button type="button" disabled=${!users.content.value} onClick=${() => setOpen('new')}><${Icon} name="plus" />${t.people.add}</button>
      </div>
      <${Show} of=${users} rows=${2} height="3.5rem">
        ${(content: readonly User[]) => html`
          <ul class="rows">
            ${content.map(
              (user) => html`
                <li key=${user.name}>
                  <span class="face"><${Icon} name="person" /></span>
                  <span class="grow">
                    <strong>${user.name}</strong>${user.name === me && html` <span class="mine">${t.people.you}</span>`}<br />
                    <span class="soft">${t.roles[user.role]}${user.name === lastAdmin && ` · ${t.people.lastAdmin}`}</span>
                  </span>
                  <span class="row-buttons">
                    <button type="button" class="plain" aria-label=${t.people.edit(user.name)} title=${t.people.edit(user.name)} onClick=${() => setOpen(user)}><${Icon} name="pencil" /></button>
                    <button
                      type="button"
                      class="plain"
                      aria-label=${t.people.remove(user.name)}
                      title=${user.name === lastAdmin ? t.people.lastAdmin : t.people.remove(user.name)}
                      disabled=${user.name === lastAdmin}
                      onClick=${() => void remove(user)}
                    >
                      <${Icon} name="trash" />
                    </button>
                  </span>
                </li>
              `,
            )}
          </ul>
        `}
      <//>
      ${
        open &&
        html`
          <${UserDialog}
            user=${open === 'new' ? undefined : open}
            isLastAdmin=${open !== 'new' && open.name === lastAdmin}
            taken=${list.map(({ name }) => name)}
            onSaved=${() => void users.load()}
            onClose=${() => setOpen(undefined)}
          />
        `
      }
    </section>
  `;
}
