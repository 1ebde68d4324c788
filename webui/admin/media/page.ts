import type { MediaState } from '@ledge/contract';
import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { Empty, Show } from '../../components/load.ts';
import { Tabs } from '../../components/tabs.ts';
import { path } from '../../router.ts';
import { words } from '../../words/words.ts';
import { Library } from './library.ts';
import './media.css';
import { PlayerCard } from './player.ts';
import { type Player, usePlayer } from './player-state.ts';
import { Playlists } from './playlists.ts';
import { Queue } from './queue.ts';
import { Radios } from './radios.ts';

const PARTS = ['', 'library', 'radio', 'playlists'] as const;
type Part = (typeof PARTS)[number];

/** Sound: what plays, what comes next, and where it comes from. */
export default function MediaPage(): VNode {
  const t = words('media');
  const player = usePlayer();
  return html`
    <div class="page-head"><h1>${t.title}</h1></div>
    <${Show} of=${player.loader} rows=${2} height="14rem">${(state: MediaState) => html`<${Media} player=${player} state=${state} />`}<//>
  `;
}

function Media({ player, state }: { player: Player; state: MediaState }): VNode {
  const t = words('media');
  const part = (path.value.split('/')[3] ?? '') as Part;
  const hrefOf = (name: Part) => (name === '' ? '/admin/media' : `/admin/media/${name}`);
  const tabs = PARTS.map((name) => ({
    href: hrefOf(name),
    text: name === '' ? t.tabs.queue : t.tabs[name],
    ...(name === '' ? { count: state.queue.length } : {}),
  }));
  return html`
    <div class="media">
      <${PlayerCard} player=${player} state=${state} />
      <div class="media-parts">
        <${Tabs} label=${t.title} tabs=${tabs} present=${hrefOf(part)} />
        ${part === '' && html`<${Queue} player=${player} state=${state} />`}
        ${part === 'library' && html`<${Library} player=${player} state=${state} />`}
        ${part === 'radio' && html`<${Radios} player=${player} playing=${state.track?.source} />`}
        ${part === 'playlists' && html`<${Playlists} player=${player} state=${state} />`}
        ${!PARTS.includes(part) && html`<${Empty} title=${words('shell').notFound.title} />`}
      </div>
    </div>
  `;
}
