import type { Role } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { dateTimeText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { confirmed, Dialog } from '../../components/dialog.ts';
import { SelectField, TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';
import { useForm } from '../use-form.ts';
import { CopyLine } from './copy-line.ts';
import { FormButtons, RoleField } from './fields.ts';

const DAYS = [7, 30, 90, 365, 1825];
const whenText = (time: string) => dateTimeText(Date.parse(time));

interface Token {
  id: string;
  name: string;
  role: Role;
  expires: string;
  lastUsed: string | null;
}

function NewToken({ onMade, onClose }: { onMade: (token: { name: string; token: string }) => void; onClose: () => void }): VNode {
  const { api } = useBox();
  const t = words('people').tokens;
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState('365');
  const form = useForm(async () => onMade(await api.server.addToken({ body: { name: name.trim(), role, expiresInDays: Number(days) } })));
  return html`
    <${Dialog} title=${t.make} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${form.onSubmit}>
        <${TextField} label=${t.name} hint=${t.nameHint} error=${form.errors.name} value=${name} onInput=${setName} required maxlength="64" autocomplete="off" />
        <${RoleField} value=${role} onInput=${setRole} />
        <${SelectField} label=${t.days} error=${form.errors.expiresInDays} value=${days} options=${DAYS.map((count) => [String(count), t.dayChoices(count)])} onInput=${setDays} />
        <${FormButtons} busy=${form.busy} onCancel=${onClose} action=${t.make} />
      </form>
    <//>
  `;
}

/** The only time that a token can be seen, with a line to try it with. */
function MadeToken({ name, token, onClose }: { name: string; token: string; onClose: () => void }): VNode {
  const t = words('people').tokens;
  const curl = `curl -H "Authorization: Bearer ${token}" ${location.origin}/api/server/services`;
  return html`
    <${Dialog} wide title=${t.made(name)} onClose=${onClose}>
      <p class="once"><${Icon} name="warning" /><span>${t.once}</span></p>
      <${CopyLine} label=${t.secret} text=${token} />
      <${CopyLine} label=${t.tryIt} text=${curl} />
      <div class="buttons"><button type="button" class="primary" onClick=${onClose}>${t.done}</button></div>
    <//>
  `;
}

/** Tokens that programs use in place of a password. */
export function Tokens(): VNode {
  const { api } = useBox();
  const t = words('people').tokens;
  const { roles } = words('people');
  const tokens = useLoad((signal) => api.server.tokens({ signal }));
  const [open, setOpen] = useState<'new' | { name: string; token: string }>();
  const close = () => setOpen(undefined);
  const revoke = async ({ id, name }: Token) => {
    if (!(await confirmed({ title: t.askRevoke(name), text: t.askRevokeText, action: t.revoke, danger: true }))) return;
    await api.server
      .removeToken({ params: { id } })
      .then(() => notify(t.revoked(name)))
      .catch(notifyProblem);
    await tokens.load();
  };
  const made = (token: { name: string; token: string }) => {
    setOpen(token);
    void tokens.load();
  };
  return html`
    <section class="panel" aria-labelledby="tokens-title">
      <div class="panel-head">
        <div><h2 id="tokens-title">${t.title}</h2><p class="soft">${t.text}</p></div>
        <button type="button" onClick=${() => setOpen('new')}><${Icon} name="plus" />${t.make}</button>
      </div>
      <${Show} of=${tokens} rows=${1} height="3.5rem">
        ${(content: readonly Token[]) =>
          content.length === 0
            ? html`<p class="rows-none">${t.none}</p>`
            : html`
                <ul class="rows">
                  ${content.map((token) => {
                    const over = Date.parse(token.expires) < api.boxNow();
                    return html`
                      <li key=${token.id}>
                        <span class="face"><${Icon} name="key" /></span>
                        <span class="grow">
                          <strong>${token.name}</strong><br />
                          <span class="soft">
                            ${`${roles[token.role]} · `}<span class=${over ? 'over' : undefined}>${over ? t.expired : t.expires(whenText(token.expires))}</span>
                            ${` · ${token.lastUsed ? t.used(whenText(token.lastUsed)) : t.neverUsed}`}
                          </span>
                        </span>
                        <span class="row-buttons"><button type="button" aria-label=${t.revokeOf(token.name)} onClick=${() => void revoke(token)}>${t.revoke}</button></span>
                      </li>
                    `;
                  })}
                </ul>
              `}
      <//>
      ${open === 'new' && html`<${NewToken} onMade=${made} onClose=${close} />`}
      ${typeof open === 'object' && html`<${MadeToken} name=${open.name} token=${open.token} onClose=${close} />`}
    </section>
  `;
}
