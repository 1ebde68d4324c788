import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Session } from '../client/session.ts';
import { html } from '../components/html.ts';
import { PasswordInput } from '../components/password-input.ts';
import { words } from '../words/words.ts';
import { Gate, Outcome, useAttempt } from './form.ts';

/** Name and password; `ended` when somebody was signed in and no longer is. */
export function SignIn({ session, ended }: { session: Session; ended: boolean }): VNode {
  const t = words('shell').gate;
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const attempt = useAttempt(() => session.signIn(name, password));
  const outcome = useId();
  const nameId = useId();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt.submit();
  };
  return html`
    <${Gate} boxName=${session.boxName.value} title=${t.signIn} lead=${ended ? t.ended : t.lead}>
      <form onSubmit=${submit}>
        <div class="field">
          <label for=${nameId}>${t.name}</label>
          <input
            id=${nameId}
            value=${name}
            autocomplete="username"
            autocapitalize="off"
            spellcheck=${false}
            maxlength="64"
            required
            onInput=${(event: InputEvent) => setName((event.target as HTMLInputElement).value)}
          />
        </div>
        <${PasswordInput}
          label=${t.password}
          value=${password}
          onInput=${setPassword}
          autocomplete="current-password"
          told=${outcome}
          required
          autofocus
        />
        <${Outcome} attempt=${attempt} id=${outcome} />
        <button class="primary" disabled=${attempt.busy || attempt.lockedS > 0}>${attempt.busy ? t.signingIn : t.signIn}</button>
      </form>
    <//>
  `;
}
