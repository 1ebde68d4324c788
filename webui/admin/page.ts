import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon, type IconName } from '../components/icons.ts';
import { Empty } from '../components/load.ts';
import { go, path } from '../router.ts';
import { Lazy, type LazyPage } from '../shell/lazy.ts';
import { words } from '../words/words.ts';
import '../styles/admin.css';

/** Admin pages in the order of the list beside them; each reads what follows its own path itself. */
const PAGES = {
  services: { icon: 'gear', page: { words: ['services'], load: () => import('./services/page.ts') } },
  things: { icon: 'chip', page: { words: ['things'], load: () => import('./things/page.ts') } },
  mqtt: { icon: 'list', page: { words: ['mqtt'], load: () => import('./mqtt/page.ts') } },
  media: { icon: 'volume', page: { words: ['media'], load: () => import('./media/page.ts') } },
  people: { icon: 'person', page: { words: ['people'], load: () => import('./people/page.ts') } },
  system: { icon: 'box', page: { words: ['system'], load: () => import('./system/page.ts') } },
  backup: { icon: 'download', page: { words: ['backup'], load: () => import('./backup/page.ts') } },
} as const satisfies Record<string, { icon: IconName; page: LazyPage }>;
type PageName = keyof typeof PAGES;
const FIRST: PageName = 'services';

function AdminNav({ present }: { present: string }): VNode {
  const t = words('admin');
  return html`
    <nav class="admin-nav" aria-label=${t.nav}>
      <ul>
        ${Object.entries(PAGES).map(
          ([name, { icon }]) => html`
            <li key=${name}>
              <a href=${`/admin/${name}`} aria-current=${name === present ? 'page' : undefined}><${Icon} name=${icon} />${t.pages[name as PageName]}</a>
            </li>
          `,
        )}
      </ul>
    </nav>
  `;
}

/** The frame of the admin pages: the list of them, and the one that the path names. */
export default function Admin(): VNode {
  const { isAdmin } = useBox();
  const t = words('shell');
  const name = path.value.split('/')[2] ?? '';
  useEffect(() => {
    if (isAdmin && name === '') go(`/admin/${FIRST}`, { replace: true });
  }, [isAdmin, name]);
  useEffect(() => {
    document.querySelector('.admin-nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [name]);
  if (!isAdmin) return html`<main class="page"><${Empty} icon="lock" title=${t.adminsOnly.title}><p>${t.adminsOnly.text}</p><//></main>`;
  const page = Object.hasOwn(PAGES, name) ? PAGES[name as PageName].page : undefined;
  return html`
    <div class="admin">
      <${AdminNav} present=${name} />
      <main class="admin-page">
        ${page ? html`<${Lazy} key=${name} page=${page} />` : name !== '' && html`<${Empty} title=${t.notFound.title}><p>${t.notFound.text}</p><//>`}
      </main>
    </div>
  `;
}
