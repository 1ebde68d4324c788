import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Session } from '../client/session.ts';
import { html } from '../components/html.ts';
import { Gate, Outcome, PasswordField, useAttempt } from './form.ts';

/** Name and password; `ended` when somebody was signed in and no longer is. */
export function SignIn({ session, ended }: { session: Session; ended: boolean }): VNode {
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const attempt = useAttempt(() => session.signIn(name, password));
  const outcome = useId();
  const nameId = useId();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt.submit();
  };
  const lead = ended ? 'Your session has ended. Sign in and you are back where you were.' : 'See and change what this box is connected to.';
  return html`
    <${Gate} boxName=${session.boxName.value} title="Sign in" lead=${lead}>
      <form onSubmit=${submit}>
        <div class="field">
          <label for=${nameId}>Name</label>
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
        <${PasswordField}
          label="Password"
          value=${password}
          onInput=${setPassword}
          autocomplete="current-password"
          describedBy=${outcome}
          autofocus
        />
        <${Outcome} attempt=${attempt} id=${outcome} />
        <button class="primary" disabled=${attempt.busy || attempt.lockedS > 0}>${attempt.busy ? 'Signing in…' : 'Sign in'}</button>
      </form>
    <//>
  `;
}
