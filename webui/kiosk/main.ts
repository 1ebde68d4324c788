import { effect } from '@preact/signals';
import { render } from 'preact';
import { createApi } from '../client/api.ts';
import { browserPorts } from '../client/browser.ts';
import { language, languageFor } from '../client/format.ts';
import { html } from '../components/html.ts';
import { loadWords, speak } from '../words/words.ts';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/kiosk.css';
import { Display } from './display.ts';
import { Kiosk } from './page.ts';

const api = createApi({ fetch: browserPorts.fetch, now: browserPorts.now, onSessionEnd: () => display.ended() });
const display = new Display(api, browserPorts.after);
effect(() => {
  document.documentElement.lang = language.value;
});
await speak(languageFor(navigator.languages));
await loadWords('shell', 'dashboard', 'kiosk');
const place = document.getElementById('app');
if (place) render(html`<${Kiosk} api=${api} display=${display} />`, place);
await display.start();
