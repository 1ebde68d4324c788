import type { AccessRule, BrokerUser } from '@ledge/contract';
import { filterFault } from '@ledge/contract/topics.ts';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { Dialog } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notify } from '../../components/notices.ts';
import { fieldProblems } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';

const ACCESSES = ['both', 'subscribe', 'publish', 'deny'] as const satisfies readonly AccessRule['access'][];
const PASSWORD_CHARACTERS = 20;
/** Without signs that look alike, as it is often typed into a device. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

function newPassword(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(PASSWORD_CHARACTERS));
  return [...numbers].map((number) => LETTERS[number % LETTERS.length]).join('');
}

/** A new MQTT user, or what one may; a password that is left empty stays. */
export function UserDialog({ user, onClose }: { user: BrokerUser | undefined; onClose: (saved: boolean) => void }): VNode {
  const { api } = useBox();
  const t = words('mqtt').users;
  const shell = words('shell');
  const [name, setName] = useState(user?.name ?? '');
  const [password, setPassword] = useState('');
  const [rules, setRules] = useState<readonly AccessRule[]>(user?.rules ?? [{ filter: '', access: 'both' }]);
  const [error, setError] = useState<unknown>();
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const problems = fieldProblems(error);
  const { name: nameProblem, password: passwordProblem, ...others } = problems;
  const wrong = rules.some(({ filter }) => filterFault(filter) !== undefined);
  const noPassword = user === undefined && password === '';

  const save = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (wrong || noPassword) return;
    setBusy(true);
    try {
      await api.broker.addUser({ body: { name, rules: [...rules], ...(password === '' ? {} : { password }) } });
      notify(t.saved(name));
      onClose(true);
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  const change = (at: number, some: Partial<AccessRule>) => setRules(rules.map((rule, i) => (i === at ? { ...rule, ...some } : rule)));
  const passwordError = tried && noPassword ? t.passwordWanted : passwordProblem;

  return html`
    <${Dialog} title=${user ? t.changeTitle(user.name) : t.addTitle} onClose=${() => onClose(false)}>
      <form class="user-form" onSubmit=${save} novalidate>
        ${!user && html`<${TextField} label=${t.name} value=${name} onInput=${setName} error=${nameProblem} hint=${t.nameHint} autocomplete="off" autocapitalize="off" spellcheck=${false} required />`}
        <div class="password-row">
          <${TextField} label=${user ? t.newPassword : t.password} value=${password} onInput=${setPassword} error=${passwordError} hint=${user ? t.passwordStays : t.passwordHint} autocomplete="off" autocapitalize="off" spellcheck=${false} />
          <button type="button" onClick=${() => setPassword(newPassword())}>${t.makePassword}</button>
        </div>
        <fieldset class="rule-fields">
          <legend>${t.rules}</legend>
          <p class="soft">${t.rulesHint}</p>
          ${rules.map(
            ({ filter, access }, i) => html`
              <div class="rule-field" key=${i}>
                <select aria-label=${t.accessOf(i + 1)} value=${access} onChange=${(event: Event) => change(i, { access: (event.currentTarget as HTMLSelectElement).value as AccessRule['access'] })}>
                  ${ACCESSES.map((one) => html`<option key=${one} value=${one} selected=${one === access}>${t.access[one]}</option>`)}
                </select>
                <input
                  type="text"
                  aria-label=${t.filterOf(i + 1)}
                  aria-invalid=${tried && filterFault(filter) !== undefined}
                  placeholder="garden/#"
                  value=${filter}
                  autocapitalize="off"
                  spellcheck=${false}
                  onInput=${(event: Event) => change(i, { filter: (event.currentTarget as HTMLInputElement).value })}
                />
                <button type="button" class="plain" aria-label=${t.removeRule(i + 1)} onClick=${() => setRules(rules.filter((_, at) => at !== i))}><${Icon} name="trash" /></button>
              </div>
            `,
          )}
          ${tried && wrong && html`<p class="field-note bad" role="alert"><${Icon} name="warning" /><span>${t.filterWanted}</span></p>`}
          <button type="button" class="link" onClick=${() => setRules([...rules, { filter: '', access: 'both' }])}><${Icon} name="plus" />${t.addRule}</button>
        </fieldset>
        ${Object.values(others).map((sentence) => html`<p class="field-note bad" role="alert" key=${sentence}><${Icon} name="warning" /><span>${sentence}</span></p>`)}
        <div class="buttons">
          <button type="button" onClick=${() => onClose(false)}>${shell.cancel}</button>
          <button type="submit" class="primary" disabled=${busy}>${busy ? shell.saving : shell.save}</button>
        </div>
      </form>
    <//>
  `;
}
