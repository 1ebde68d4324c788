import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.ts';
import { createApi } from './client/api.ts';
import { browserPorts } from './client/browser.ts';
import { language, languageFor } from './client/format.ts';
import { Session } from './client/session.ts';
import { html } from './components/html.ts';
import { startRouting } from './router.ts';
import { showLastTheme } from './shell/theme.ts';
import { SessionContext } from './signin/form.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/gate.css';
import './styles/shell.css';
import './styles/controls.css';
import { loadWords, speak } from './words/words.ts';

const api = createApi({ fetch: browserPorts.fetch, now: browserPorts.now, onSessionEnd: () => session.ended() });
const session = new Session(api, browserPorts.after);
showLastTheme();
startRouting();
effect(() => {
  document.title = session.boxName.value || 'Ledge';
});
effect(() => {
  document.documentElement.lang = language.value;
});
const started = session.start();
await speak(languageFor(navigator.languages));
await loadWords('shell');
const place = document.getElementById('app');
if (place) render(html`<${SessionContext.Provider} value=${session}><${App} api=${api} session=${session} /><//>`, place);
await started;
