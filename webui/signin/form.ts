import { createContext, type VNode } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { countdownText } from '../client/age.ts';
import { ApiProblem } from '../client/problem.ts';
import type { Session } from '../client/session.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { problemText } from '../components/problem-text.ts';
import { words } from '../words/words.ts';

/** Who is at the page, for those pages that come before there is a box to use. */
export const SessionContext = createContext<Session | undefined>(undefined);
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('a session is wanted around this component');
  return session;
}

const TICK_MS = 250;

/** Seconds until `untilMs`, counting down; 0 when it is over. */
function useCountdown(untilMs: number): number {
  const [nowMs, setNowMs] = useState(Date.now());
  const over = nowMs >= untilMs;
  useEffect(() => {
    if (Date.now() >= untilMs) return;
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [untilMs, over]);
  return Math.max(0, (untilMs - nowMs) / 1000);
}

export interface Attempt {
  error: string | undefined;
  busy: boolean;
  /** Seconds until another try is taken. */
  lockedS: number;
  submit: () => void;
}

/** One try after the other: busy, the sentence when it fails, and the wait when there were too many. */
export function useAttempt(act: () => Promise<void>): Attempt {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [lockedUntilMs, setLockedUntilMs] = useState(0);
  const lockedS = useCountdown(lockedUntilMs);
  const submit = () => {
    setBusy(true);
    setError(undefined);
    act()
      .catch((problem: unknown) => {
        setError(problemText(problem));
        if (problem instanceof ApiProblem && problem.code === 'too-many-tries')
          setLockedUntilMs(Date.now() + (problem.retryAfterS ?? 1) * 1000);
      })
      .finally(() => setBusy(false));
  };
  return { error: lockedS > 0 ? words('shell').gate.tooMany : error, busy, lockedS, submit };
}

/** A frame for the pages before the dashboard: mark, name of the box, one heading, one form. */
export function Gate({ boxName, title, lead, children }: { boxName: string; title: string; lead: string; children?: unknown }): VNode {
  return html`
    <main class="gate">
      <div class="gate-card">
        <p class="brand"><span class="mark"><${Icon} name="mark" /></span>${boxName || 'Ledge'}</p>
        <h1>${title}</h1>
        <p class="lead">${lead}</p>
        ${children}
      </div>
    </main>
  `;
}

/** What went wrong, or how long to wait. Always there, so that screen readers notice and nothing moves. */
export function Outcome({ attempt, id }: { attempt: Attempt; id: string }): VNode {
  const wait = attempt.lockedS > 0 ? ` ${words('shell').gate.tryIn(countdownText(attempt.lockedS))}` : '';
  return html`
    <p class="outcome" id=${id} role="alert">
      ${attempt.error && html`<${Icon} name="warning" />`}<span>${attempt.error ?? ''}${wait && html`<span aria-live="off">${wait}</span>`}</span>
    </p>
  `;
}
