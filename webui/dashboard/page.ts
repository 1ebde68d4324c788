import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { Empty } from '../components/load.ts';
import { Segments } from '../components/segments.ts';
import { path } from '../router.ts';
import { Lazy, type LazyPage } from '../shell/lazy.ts';
import { words } from '../words/words.ts';
import { byRoom, type Group, groupsOf, isFresh, isHidden, nameOf } from './groups.ts';
import { ServiceList } from './service-list.ts';
import { ServiceBlock } from './service-tiles.ts';
import { SparkBoard, SparkBoardContext, SparkColours } from './spark.ts';
import { Suggestions } from './suggestions.ts';
import { ThingBlock } from './thing-block.ts';
import '../styles/dashboard.css';

const ARRANGE: LazyPage = { words: [], load: () => import('./arrange.ts') };
const HISTORY: LazyPage = { words: [], load: () => import('./history.ts') };

/** Places as high as tiles will be. */
const GhostTiles = (): VNode => html`
  <div class="blocks" aria-hidden="true">
    ${[3, 2, 4, 1].map((n) => html`<div key=${n} class="block" style=${{ '--n': n }}><div class="block-head"></div><div class="tile ghost"></div></div>`)}
  </div>
`;

/** How many things there are, and whether any of them needs somebody. */
function Summary(): VNode {
  const { live } = useBox();
  const text = useComputed(() => {
    const t = words('dashboard');
    const things = live.things.list.value;
    const ill = things.filter(
      ({ state, faults, properties }) =>
        state.value === 'lost' || faults.value.length > 0 || properties.value.some((property) => property.fault.value !== undefined),
    ).length;
    if (things.length === 0) return '\u00a0';
    return ill === 0 ? t.allWell(things.length) : t.ill(things.length, ill);
  });
  return html`<p class="summary">${text}</p>`;
}

function Blocks({ groups, showRoom }: { groups: readonly Group[]; showRoom: boolean }): VNode {
  const { live, isAdmin, preferences } = useBox();
  const connected = live.connection.value === 'live' || live.connection.value === 'connecting';
  const canSet = isAdmin && connected;
  const arrangement = preferences.value.dashboard;
  return html`
    <div class="blocks">
      ${groups.map((group) =>
        group.kind === 'thing'
          ? html`<${ThingBlock} key=${group.id} thing=${group.thing} arrangement=${arrangement} showRoom=${showRoom} canSet=${canSet} />`
          : html`<${ServiceBlock} key=${group.id} name=${nameOf(group)} service=${group.service} tiles=${group.tiles} canSet=${canSet} />`,
      )}
    </div>
  `;
}

/** Everything that somebody wants to see, by thing or by room. */
function Things(): VNode {
  const { live, preferences, isAdmin } = useBox();
  const t = words('dashboard');
  const groups = useComputed(() => groupsOf(live.things.list.value, live.services.list.value, preferences.value.dashboard.order)).value;
  const { groupBy, hidden } = preferences.value.dashboard;
  const isWaiting = groups.length === 0 ? !live.complete.value : groupBy === 'room' && !live.placed.value;
  if (isWaiting) return html`<${GhostTiles} />`;
  if (groups.length === 0) {
    return html`<${Empty} title=${t.empty.title}><p>${t.empty.text}</p>${isAdmin && html`<p><a href="/admin/things/new">${t.empty.add}</a></p>`}<//>`;
  }
  const shown = groups.filter(({ id }) => !isHidden({ groupBy, order: [], hidden }, id));
  if (shown.length === 0) return html`<${Empty} icon="hide" title=${t.allHidden.title}><p>${t.allHidden.text}</p><//>`;
  if (groupBy === 'thing') return html`<${Blocks} groups=${shown} showRoom=${true} />`;
  return html`${byRoom(shown).map(
    ([room, inside]) => html`
      <section class="room-section" key=${room} aria-label=${room || t.group.noRoom}>
        <h2 class="room-title">${room || t.group.noRoom}</h2>
        <${Blocks} groups=${inside} showRoom=${false} />
      </section>
    `,
  )}`;
}

function Tools({ onArrange }: { onArrange: () => void }): VNode {
  const { live, preferences, changePreferences } = useBox();
  const t = words('dashboard');
  const { dashboard } = preferences.value;
  const hasRooms = useComputed(() => live.things.list.value.some(({ room }) => room.value !== '')).value;
  const options = [
    ['thing', t.group.thing],
    ['room', t.group.room],
  ] as const;
  return html`
    <div class="tools">
      ${
        (hasRooms || dashboard.groupBy === 'room') &&
        html`<${Segments}
          label=${t.group.label}
          value=${dashboard.groupBy}
          options=${options}
          onChoose=${(groupBy: 'thing' | 'room') => void changePreferences({ dashboard: { ...dashboard, groupBy } })}
        />`
      }
      <button type="button" class="plain with-word" onClick=${onArrange}><${Icon} name="sliders" />${t.arrange.start}</button>
    </div>
  `;
}

/** What is going on: all values, live; and the services of the box. Below `/history/` the chart of one value lies over it. */
export default function Dashboard(): VNode {
  const { api, live, session } = useBox();
  const t = words('dashboard');
  const arranging = useSignal(false);
  const board = useMemo(() => new SparkBoard(api), [api]);
  useEffect(() => () => board.stop(), [board]);
  const fresh = useComputed(() => live.complete.value && isFresh(live.things.list.value)).value;
  if (arranging.value) {
    const done = () => {
      arranging.value = false;
    };
    return html`<main class="page dashboard"><${Lazy} page=${ARRANGE} props=${{ onDone: done }} /></main>`;
  }
  return html`
    <${SparkBoardContext.Provider} value=${board}>
      <main class="page dashboard">
        <h1 class="visually-hidden">${session.boxName}</h1>
        <${SparkColours} />
        <section aria-labelledby="things-title">
          <div class="section-head">
            <div class="section-title"><h2 id="things-title">${t.things}</h2><${Summary} /></div>
            <${Tools}
              onArrange=${() => {
                arranging.value = true;
              }}
            />
          </div>
          <${Things} />
        </section>
        ${fresh && html`<${Suggestions} />`}
        <section aria-labelledby="services-title">
          <div class="section-head"><h2 id="services-title">${t.services}</h2></div>
          <${ServiceList} />
        </section>
      </main>
      ${path.value.startsWith('/history/') && html`<${Lazy} page=${HISTORY} waiting=${null} />`}
    <//>
  `;
}
