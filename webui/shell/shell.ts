import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { LANGUAGES, type Language, language } from '../client/format.ts';
import type { Said } from '../client/live.ts';
import { useBox } from '../components/box.ts';
import { Questions } from '../components/dialog.ts';
import { SelectField } from '../components/field.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { Notices } from '../components/notices.ts';
import { problemText } from '../components/problem-text.ts';
import { readingText } from '../components/value-text.ts';
import { path } from '../router.ts';
import { speak, words } from '../words/words.ts';

function Connection(): VNode {
  const { live } = useBox();
  const connection = live.connection.value;
  return html`<p class=${`connection ${connection}`}><span class="dot"></span><span class="connection-word">${words('shell').connection[connection]}</span></p>`;
}

function Nav(): VNode {
  const t = words('shell').nav;
  const inAdmin = path.value.startsWith('/admin');
  return html`
    <nav class="pages" aria-label=${t.label}>
      <a href="/" aria-current=${path.value === '/' || path.value.startsWith('/history/') ? 'page' : undefined}>${t.dashboard}</a>
      <a href="/admin" aria-current=${inAdmin ? 'page' : undefined}>${t.admin}</a>
    </nav>
  `;
}

/** Who is here, in which language and colours, and the way out. */
function Menu(): VNode {
  const { user, session, preferences, changePreferences } = useBox();
  const t = words('shell');
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event) => {
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return;
        button.current?.focus();
      } else if (place.current?.contains(event.target as Node)) return;
      setOpen(false);
    };
    for (const kind of ['pointerdown', 'keydown', 'focusin']) addEventListener(kind, leave);
    return () => {
      for (const kind of ['pointerdown', 'keydown', 'focusin']) removeEventListener(kind, leave);
    };
  }, [open]);
  const setLanguage = (tag: string) => {
    void speak(tag as Language);
    void changePreferences({ language: tag as Language });
  };
  return html`
    <div class="menu" ref=${place}>
      <button type="button" class="plain" ref=${button} aria-expanded=${open} aria-label=${t.menu} title=${t.menu} onClick=${() => setOpen(!open)}>
        <${Icon} name="person" />
      </button>
      ${
        open &&
        html`
          <div class="menu-card">
            <p class="menu-who">${t.signedInAs(user)}</p>
            <${SelectField} label=${t.language} value=${language.value} options=${Object.entries(LANGUAGES)} onInput=${setLanguage} />
            <${SelectField}
              label=${t.theme}
              value=${preferences.value.theme}
              options=${Object.entries(t.themes)}
              onInput=${(theme: 'auto' | 'light' | 'dark') => void changePreferences({ theme })}
            />
            <button type="button" class="sign-out" onClick=${() => void session.signOut()}><${Icon} name="leave" />${t.signOut}</button>
          </div>
        `
      }
    </div>
  `;
}

function sentenceFor(said: Said): string {
  const t = words('shell').said;
  switch (said.kind) {
    case 'lost':
    case 'back':
      return t[said.kind];
    case 'set':
      return t.set(said.property.info.peek().name, readingText(said.property.info.peek(), said.payload));
    case 'not-set':
      return t.notSet(said.property.info.peek().name, problemText(said.error));
    case 'restarts':
      return t.restarts(said.service);
    case 'not-restarted':
      return t.notRestarted(said.service, problemText(said.error));
  }
}

function Announcement(): VNode {
  const said = useBox().live.announcement.value;
  return html`<p class="visually-hidden" role="status">${said && sentenceFor(said)}</p>`;
}

/** The frame of every page for somebody who is signed in: header, how the box is connected, what was done, questions. */
export function Shell({ children }: { children: ComponentChildren }): VNode {
  const { live, session } = useBox();
  const t = words('shell');
  const connection = live.connection.value;
  const banner = connection === 'offline' || connection === 'bus-away' ? t.banner[connection] : undefined;
  return html`
    <a class="skip" href="#content">${t.skip}</a>
    <header class="top">
      <div class="inner">
        <a class="brand" href="/"><span class="mark"><${Icon} name="mark" /></span><span class="box-name">${session.boxName}</span></a>
        <${Nav} />
        <${Connection} />
        <${Menu} />
      </div>
      ${banner && html`<p class="banner"><${Icon} name="warning" />${banner}</p>`}
    </header>
    <div id="content" tabindex="-1" data-old=${banner ? 'yes' : undefined}>${children}</div>
    <${Notices} />
    <${Questions} />
    <${Announcement} />
  `;
}
