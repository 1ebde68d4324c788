import type { AccessRule, BrokerUser } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';
import { UserDialog } from './user-dialog.ts';

/** Who may sign in to the broker, and on which topics they may speak and listen. */
export function Users(): VNode {
  const { api } = useBox();
  const t = words('mqtt').users;
  const loader = useLoad((signal) => api.broker.users({ signal }));
  const [edited, setEdited] = useState<BrokerUser | 'new'>();
  const remove = async ({ name }: BrokerUser) => {
    if (!(await confirmed({ title: t.removeTitle(name), text: t.removeText, action: words('shell').remove, danger: true }))) return;
    try {
      await api.broker.removeUser({ params: { name } });
      notify(t.removed(name));
    } catch (error) {
      notifyProblem(error);
    }
    void loader.load();
  };
  const closed = (saved: boolean) => {
    setEdited(undefined);
    if (saved) void loader.load();
  };
  return html`
    <div class="section-lead">
      <p class="soft">${t.lead}</p>
      <button type="button" class="primary" onClick=${() => setEdited('new')}><${Icon} name="plus" />${t.add}</button>
    </div>
    <${Show} of=${loader} rows=${2} height="5rem">
      ${(users: BrokerUser[]) =>
        users.length === 0
          ? html`<${Empty} icon="key" title=${t.none}><p>${t.noneText}</p><//>`
          : html`
              <section class="panel" aria-label=${t.title}>
                <ul class="rows">
                  ${users.map(
                    (user) => html`
                      <li key=${user.name} class="user">
                        <div class="grow">
                          <span class="client-id">${user.name}</span>
                          ${user.needsPassword && html`<p class="soft warn"><${Icon} name="warning" />${t.needsPassword}</p>`}
                          <${Rules} rules=${user.rules} />
                        </div>
                        <button type="button" class="plain" aria-label=${t.change(user.name)} title=${t.change(user.name)} onClick=${() => setEdited(user)}><${Icon} name="pencil" /></button>
                        <button type="button" class="plain" aria-label=${t.remove(user.name)} title=${t.remove(user.name)} onClick=${() => void remove(user)}><${Icon} name="trash" /></button>
                      </li>
                    `,
                  )}
                </ul>
              </section>
            `}
    <//>
    ${edited && html`<${UserDialog} user=${edited === 'new' ? undefined : edited} onClose=${closed} />`}
  `;
}

function Rules({ rules }: { rules: readonly AccessRule[] }): VNode {
  const t = words('mqtt').users;
  if (rules.length === 0) return html`<p class="soft warn"><${Icon} name="warning" />${t.noRules}</p>`;
  return html`<ul class="rules">${rules.map(({ filter, access }) => html`<li key=${`${access} ${filter}`} class=${access}><span>${t.access[access]}</span><code>${filter}</code></li>`)}</ul>`;
}
