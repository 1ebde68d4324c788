import type { Preferences } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Api } from './client/api.ts';
import { browserPorts, startTicking } from './client/browser.ts';
import { Live } from './client/live.ts';
import type { Session } from './client/session.ts';
import { Now } from './components/age.ts';
import { type Box, BoxContext } from './components/box.ts';
import { html } from './components/html.ts';
import { Empty } from './components/load.ts';
import { notifyProblem } from './components/notices.ts';
import { path } from './router.ts';
import { Lazy, type LazyPage } from './shell/lazy.ts';
import { Shell } from './shell/shell.ts';
import { showTheme } from './shell/theme.ts';
import { Gate } from './signin/form.ts';
import { SignIn } from './signin/signin.ts';
import { speak, words } from './words/words.ts';

const DASHBOARD: LazyPage = { words: ['dashboard'], load: () => import('./dashboard/page.ts') };
const ADMIN: LazyPage = { words: ['admin'], load: () => import('./admin/page.ts') };
const FIRST_START: LazyPage = { words: [], load: () => import('./signin/first-start.ts') };

function Page(): VNode {
  const t = words('shell');
  const { value } = path;
  if (value === '/' || value.startsWith('/history/')) return html`<${Lazy} page=${DASHBOARD} />`;
  if (value === '/admin' || value.startsWith('/admin/')) return html`<${Lazy} page=${ADMIN} />`;
  return html`<main class="page"><${Empty} title=${t.notFound.title}><p>${t.notFound.text}</p><p><a href="/">${t.notFound.back}</a></p><//></main>`;
}

interface SignedInProps {
  api: Api;
  session: Session;
  user: string;
  isAdmin: boolean;
  preferences: Preferences;
}

function SignedIn({ api, session, user, isAdmin, preferences: kept }: SignedInProps): VNode {
  const live = useMemo(() => new Live(session.edge.peek(), api, { ...browserPorts, onSessionEnd: () => session.ended() }), [api, session]);
  const now = useSignal(api.boxNow());
  const preferences = useSignal(kept);
  const box: Box = useMemo(() => {
    const changePreferences = async (some: Partial<Preferences>) => {
      const before = preferences.peek();
      preferences.value = { ...before, ...some };
      try {
        await api.server.changePreferences({ body: preferences.peek() });
      } catch (error) {
        preferences.value = before;
        notifyProblem(error);
      }
    };
    return { api, live, session, user, isAdmin, preferences, changePreferences };
  }, [api, live, session, user, isAdmin, preferences]);
  const { theme, language } = preferences.value;
  useEffect(() => showTheme(theme), [theme]);
  useEffect(() => {
    if (language) void speak(language);
  }, [language]);
  useEffect(() => {
    live.start();
    const stopTicking = startTicking(() => {
      now.value = api.boxNow();
    });
    return () => {
      stopTicking();
      live.stop();
    };
  }, [live, api, now]);
  return html`<${Now.Provider} value=${now}><${BoxContext.Provider} value=${box}><${Shell}><${Page} /><//><//><//>`;
}

/** Which page it is follows from who is there, and from the path. */
export function App({ api, session }: { api: Api; session: Session }): VNode | null {
  const phase = session.phase.value;
  const t = words('shell').gate;
  switch (phase.kind) {
    case 'loading':
      return null;
    case 'unreachable':
      return html`<${Gate} boxName=${session.boxName.value} title=${t.oneMoment} lead=${t.unreachable}><p class="hint" role="status">${t.again}</p><//>`;
    case 'setup':
      return html`<${Lazy} page=${FIRST_START} />`;
    case 'sign-in':
      return html`<${SignIn} session=${session} ended=${phase.ended} />`;
    case 'in': {
      const { user, role } = phase.session;
      return html`<${SignedIn} key=${user} api=${api} session=${session} user=${user} isAdmin=${role === 'admin'} preferences=${phase.preferences} />`;
    }
  }
}
