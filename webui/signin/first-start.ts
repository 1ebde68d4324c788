import type { VNode } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { LANGUAGES, type Language, language } from '../client/format.ts';
import { ApiProblem } from '../client/problem.ts';
import { SelectField, TextField } from '../components/field.ts';
import { html } from '../components/html.ts';
import { PasswordInput } from '../components/password-input.ts';
import { speak, words } from '../words/words.ts';
import { Gate, Outcome, useAttempt, useSession } from './form.ts';
import { MIN_PASSWORD_LENGTH, type Strength, strengthOf } from './strength.ts';

const LEVELS: Record<Strength, number> = { short: 0, weak: 1, fair: 2, good: 3 };

/** How strong a password is, in words, with a bar for the eye. */
function StrengthLine({ password }: { password: string }): VNode {
  const t = words('shell').first.strength;
  const strength = strengthOf(password);
  return html`
    <p class="strength" data-level=${password === '' ? undefined : LEVELS[strength]} role="status">
      <span class="strength-bar" aria-hidden="true"><i></i><i></i><i></i></span>
      <span>${password === '' ? '' : html`<span class="visually-hidden">${t.label}: </span>${t[strength]}`}</span>
    </p>
  `;
}

const deviceTimeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
const timeZones = (): string[] => {
  const known = Intl.supportedValuesOf('timeZone');
  const own = deviceTimeZone();
  return known.includes(own) ? known : [own, ...known];
};

/** First start: language, password, name and time zone, then the dashboard. Nothing is kept before the last step. */
export default function FirstStart(): VNode {
  const session = useSession();
  const t = words('shell').first;
  const gate = words('shell').gate;
  const [step, setStep] = useState(0);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [name, setName] = useState('');
  const [timeZone, setTimeZone] = useState(deviceTimeZone);
  const outcome = useId();
  const form = useRef<HTMLFormElement>(null);
  const attempt = useAttempt(async () => {
    if (step === 0) return setStep(1);
    if (step === 1) {
      if (password !== again) throw new Error(gate.differ);
      if (strengthOf(password) === 'short') throw new Error(t.hint(MIN_PASSWORD_LENGTH));
      return setStep(2);
    }
    const answers = { password, timeZone, language: language.peek(), ...(name.trim() ? { name: name.trim() } : {}) };
    await session.setUp(answers).catch((error: unknown) => {
      // somebody else was faster: the page that asks for a name is the right one now
      if (error instanceof ApiProblem && error.code === 'setup-done') return;
      if (error instanceof ApiProblem && error.code === 'weak-password') setStep(1);
      throw error;
    });
    await session.start();
  });
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input:not([tabindex="-1"]), select, button.primary')?.focus();
  }, [step]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt.submit();
  };
  const [title, lead] = [
    [t.welcome, t.welcomeLead],
    [t.passwordTitle, t.passwordLead],
    [t.boxTitle, t.boxLead],
  ][step] as [string, string];
  return html`
    <${Gate} boxName=${session.boxName.value} title=${title} lead=${lead}>
      ${step > 0 && html`<p class="step">${t.step(step, 2)}</p>`}
      <form ref=${form} onSubmit=${submit}>
        ${
          step === 0 &&
          html`<${SelectField} label=${words('shell').language} value=${language.value} options=${Object.entries(LANGUAGES)} onInput=${(tag: string) => void speak(tag as Language)} />`
        }
        ${
          step === 1 &&
          html`
            <input class="visually-hidden" type="text" name="username" value="admin" autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
            <div>
              <${PasswordInput} label=${gate.password} value=${password} onInput=${setPassword} autocomplete="new-password" told=${outcome} required />
              <${StrengthLine} password=${password} />
            </div>
            <${PasswordInput} label=${gate.passwordAgain} value=${again} onInput=${setAgain} autocomplete="new-password" told=${outcome} required />
            <p class="hint">${t.hint(MIN_PASSWORD_LENGTH)}</p>
          `
        }
        ${
          step === 2 &&
          html`
            <${TextField} label=${t.boxName} hint=${t.boxNameHint} value=${name} onInput=${setName} maxlength="63" autocomplete="off" />
            <${SelectField} label=${t.timeZone} hint=${t.timeZoneHint} value=${timeZone} options=${timeZones().map((zone) => [zone, zone.replaceAll('_', ' ')])} onInput=${setTimeZone} />
          `
        }
        <${Outcome} attempt=${attempt} id=${outcome} />
        <div class="buttons">
          ${step > 0 && html`<button type="button" onClick=${() => setStep(step - 1)}>${t.back}</button>`}
          <button class="primary" disabled=${attempt.busy || attempt.lockedS > 0}>
            ${step === 0 ? t.begin : step === 1 ? t.next : attempt.busy ? t.finishing : t.finish}
          </button>
        </div>
      </form>
    <//>
  `;
}
