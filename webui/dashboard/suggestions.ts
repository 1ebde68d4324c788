import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { words } from '../words/words.ts';

const KEY = 'ledge-no-suggestions';

function wasDismissed(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false; // a browser that keeps nothing shows them again
  }
}

/** What to do after the first start, for who may do it; until it is waved away or done. */
export function Suggestions(): VNode | null {
  const { isAdmin } = useBox();
  const [dismissed, setDismissed] = useState(wasDismissed);
  if (!isAdmin || dismissed) return null;
  const t = words('dashboard').next;
  const dismiss = () => {
    setDismissed(true);
    try {
      localStorage.setItem(KEY, 'yes');
    } catch {
      // then only until the next visit
    }
  };
  const card = (href: string, icon: string, title: string, text: string) => html`
    <a class="suggestion" href=${href}><${Icon} name=${icon} /><span><strong>${title}</strong><span>${text}</span></span><${Icon} name="right" /></a>
  `;
  return html`
    <section class="next" aria-labelledby="next-title">
      <div class="section-head"><h2 id="next-title">${t.title}</h2><button type="button" class="link" onClick=${dismiss}>${t.dismiss}</button></div>
      <div class="suggestions">
        ${card('/admin/things/new', 'chip', t.sensor, t.sensorText)} ${card('/admin/media', 'volume', t.music, t.musicText)}
      </div>
    </section>
  `;
}
