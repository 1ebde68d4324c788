import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.ts';
import { createApi } from './client/api.ts';
import { browserPorts } from './client/browser.ts';
import { Session } from './client/session.ts';
import { html } from './components/html.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/gate.css';
import './styles/dashboard.css';

const api = createApi({ fetch: browserPorts.fetch, now: browserPorts.now, onSessionEnd: () => session.ended() });
const session = new Session(api, browserPorts.after);
effect(() => {
  document.title = session.boxName.value || 'Ledge';
});
const place = document.getElementById('app');
if (place) render(html`<${App} api=${api} session=${session} />`, place);
await session.start();
