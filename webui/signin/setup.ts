import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { ApiProblem } from '../client/problem.ts';
import type { Session } from '../client/session.ts';
import { html } from '../components/html.ts';
import { Gate, Outcome, PasswordField, useAttempt } from './form.ts';

/** The box says finally what is good enough; this is only told beforehand. */
const MIN_PASSWORD_LENGTH = 10;

/** First start: choose the password of `admin`. */
export function Setup({ session }: { session: Session }): VNode {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const attempt = useAttempt(async () => {
    if (password !== again) throw new Error('The two passwords differ.');
    await session.setUp(password).catch(async (error: unknown) => {
      // somebody else was faster: the page that asks for a name is the right one now
      if (error instanceof ApiProblem && error.code === 'setup-done') await session.start();
      else throw error;
    });
  });
  const outcome = useId();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt.submit();
  };
  return html`
    <${Gate}
      boxName=${session.boxName.value}
      title="Choose a password"
      lead="Whoever knows it can change everything on this box. You will sign in with the name admin."
    >
      <form onSubmit=${submit}>
        <input class="visually-hidden" type="text" name="username" value="admin" autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
        <${PasswordField} label="Password" value=${password} onInput=${setPassword} autocomplete="new-password" describedBy=${outcome} autofocus />
        <${PasswordField} label="Password, again" value=${again} onInput=${setAgain} autocomplete="new-password" describedBy=${outcome} />
        <p class="hint">${MIN_PASSWORD_LENGTH} characters or more. Three or four words in a row are good and easy to keep in mind.</p>
        <${Outcome} attempt=${attempt} id=${outcome} />
        <button class="primary" disabled=${attempt.busy || attempt.lockedS > 0}>${attempt.busy ? 'Saving…' : 'Save and go on'}</button>
      </form>
    <//>
  `;
}
