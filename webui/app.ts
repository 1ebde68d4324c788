import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Api } from './client/api.ts';
import { browserPorts, startTicking } from './client/browser.ts';
import { Live } from './client/live.ts';
import type { Session } from './client/session.ts';
import { Now } from './components/age.ts';
import { html } from './components/html.ts';
import { Dashboard } from './dashboard/dashboard.ts';
import { Gate } from './signin/form.ts';
import { Setup } from './signin/setup.ts';
import { SignIn } from './signin/signin.ts';

function SignedIn({ api, session, user, isAdmin }: { api: Api; session: Session; user: string; isAdmin: boolean }): VNode {
  const live = useMemo(() => new Live(session.edge.peek(), api, { ...browserPorts, onSessionEnd: () => session.ended() }), [api, session]);
  const now = useSignal(api.boxNow());
  useEffect(() => {
    live.start();
    const stopTicking = startTicking(() => {
      now.value = api.boxNow();
    });
    return () => {
      stopTicking();
      live.stop();
    };
  }, [live]);
  const signOut = () => void session.signOut();
  return html`
    <${Now.Provider} value=${now}>
      <${Dashboard} live=${live} boxName=${session.boxName.value} user=${user} isAdmin=${isAdmin} onSignOut=${signOut} />
    <//>
  `;
}

/** Which page it is follows from who is there. */
export function App({ api, session }: { api: Api; session: Session }): VNode | null {
  const phase = session.phase.value;
  switch (phase.kind) {
    case 'loading':
      return null;
    case 'unreachable':
      return html`<${Gate} boxName=${session.boxName.value} title="One moment" lead=${phase.reason}><p class="hint" role="status">Trying again by itself.</p><//>`;
    case 'setup':
      return html`<${Setup} session=${session} />`;
    case 'sign-in':
      return html`<${SignIn} session=${session} ended=${phase.ended} />`;
    case 'in':
      return html`<${SignedIn} api=${api} session=${session} user=${phase.session.user} isAdmin=${phase.session.role === 'admin'} />`;
  }
}
