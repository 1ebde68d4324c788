import { filters } from '@ledge/contract/topics.ts';
import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Api } from '../client/api.ts';
import { browserPorts, openOwnStream } from '../client/browser.ts';
import { dayText, hourText } from '../client/format.ts';
import { Live } from '../client/live.ts';
import type { PropertyModel } from '../client/things.ts';
import { ageText, Now, useNow } from '../components/age.ts';
import { html } from '../components/html.ts';
import { PLAYER } from '../dashboard/groups.ts';
import { SparkBoard, SparkBoardContext, SparkLine } from '../dashboard/spark.ts';
import { isNumber, Reading, useStale } from '../dashboard/tile.ts';
import { words } from '../words/words.ts';
import { Caretaker, shiftAt } from './caretaker.ts';
import type { Display } from './display.ts';
import { gridFor } from './grid.ts';

const HEARTBEAT_MS = 20_000;
const SECOND_MS = 1000;
/** Shown while nobody has chosen anything. */
const FIRST_TILES = 8;

function Tile({ live, address }: { live: Live; address: string }): VNode {
  const [id, ...key] = address.split('/');
  const found = useComputed(() => {
    const thing = live.things.list.value.find((one) => one.id === id);
    const property = thing?.properties.value.find((one) => one.key === key.join('/'));
    return thing && property && { thing, property };
  }).value;
  if (found) return html`<${Value} name=${found.thing.name} property=${found.property} />`;
  const text = live.complete.value ? words('kiosk').gone : '\u00a0';
  return html`<article class="screen-tile" data-stale="yes"><p class="screen-thing">${id}</p><p class="screen-value"><span class="reading wordy">${text}</span></p></article>`;
}

function Value({ name, property }: { name: unknown; property: PropertyModel }): VNode {
  const now = useNow();
  const stale = useStale(property);
  const mark = useComputed(() => (stale.value ? 'yes' : undefined));
  // fresh values need no age: a screen that counts seconds is unquiet
  const age = useComputed(() =>
    stale.value && property.timeMs.value !== undefined ? ageText(now.value - property.timeMs.value) : '\u00a0',
  );
  const info = property.info.value;
  return html`
    <article class="screen-tile" data-stale=${mark}>
      ${isNumber(info) && html`<${SparkLine} property=${property} />`}
      <p class="screen-thing"><span>${name}</span><span class="screen-property">${info.name}</span></p>
      <p class="screen-value"><${Reading} property=${property} /></p>
      <p class="screen-age">${age}</p>
    </article>
  `;
}

function Tiles({ live, display }: { live: Live; display: Display }): VNode {
  const chosen = display.settings.value.tiles;
  const place = useRef<HTMLDivElement>(null);
  const first = useComputed(() =>
    live.things.list.value
      .filter(({ id }) => id !== PLAYER)
      .flatMap((thing) => thing.properties.value)
      .filter(({ info }) => isNumber(info.value) || info.value.datatype === 'boolean')
      .slice(0, FIRST_TILES)
      .map(({ thing, key }) => `${thing}/${key}`),
  ).value;
  const tiles = chosen.length > 0 ? chosen : first;
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const lay = () => {
      const { columns, rows } = gridFor(tiles.length, element.clientWidth / Math.max(1, element.clientHeight));
      element.style.setProperty('--columns', String(columns));
      element.style.setProperty('--rows', String(rows));
      // the last one takes what its row has left
      element.style.setProperty('--last', String(columns * rows - tiles.length + 1));
    };
    const watching = new ResizeObserver(lay);
    watching.observe(element);
    lay();
    return () => watching.disconnect();
  }, [tiles.length]);
  return html`
    <div class="screen-tiles" ref=${place}>${tiles.map((address) => html`<${Tile} key=${address} live=${live} address=${address} />`)}</div>
    ${tiles.length === 0 && live.complete.value && html`<p class="screen-note">${words('kiosk').empty}</p>`}
  `;
}

/** The chosen values, as large as they can be; nothing to touch, nothing to scroll. */
function Screen({ api, display, edge, name }: { api: Api; display: Display; edge: string; name: string }): VNode {
  const live = useMemo(() => {
    const ports = { ...browserPorts, openStream: openOwnStream, onSessionEnd: () => display.ended() };
    // the display may hear of nothing else
    return new Live(edge, api, ports, [filters.things(edge)]);
  }, [api, edge]);
  const board = useMemo(() => new SparkBoard(api), [api]);
  const now = useSignal(api.boxNow());
  const caretaker = useMemo(() => new Caretaker(), []);
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    live.start();
    const ticking = setInterval(() => {
      now.value = api.boxNow();
      caretaker.look();
      const { x, y } = shiftAt(now.peek());
      if (place.current) place.current.style.transform = `translate(${x}px, ${y}px)`;
    }, SECOND_MS);
    const say = () =>
      void api.server.kioskHeartbeat({ body: caretaker.heartbeat(live.connection.peek() === 'live') }).catch(() => undefined);
    const first = setTimeout(say, 2 * SECOND_MS);
    const saying = setInterval(say, HEARTBEAT_MS);
    return () => {
      clearTimeout(first);
      clearInterval(saying);
      clearInterval(ticking);
      board.stop();
      live.stop();
    };
  }, [live]);
  const clock = useComputed(() => hourText(now.value));
  const day = useComputed(() => dayText(now.value));
  const t = words('kiosk');
  const connection = live.connection.value;
  const old = connection === 'offline' || connection === 'bus-away';
  return html`
    <${Now.Provider} value=${now}>
      <${SparkBoardContext.Provider} value=${board}>
        <main class="screen" ref=${place} data-old=${old ? 'yes' : undefined}>
          <header class="screen-head">
            <h1>${display.settings.value.title || name}</h1>
            <p class="screen-clock"><span class="screen-day">${day}</span> <span>${clock}</span></p>
          </header>
          <${Tiles} live=${live} display=${display} />
          ${old && html`<p class="screen-note" role="status">${connection === 'offline' ? t.offline : t.busAway}</p>`}
        </main>
      <//>
    <//>
  `;
}

/** The page of the box's own display. */
export function Kiosk({ api, display }: { api: Api; display: Display }): VNode {
  const t = words('kiosk');
  const phase = display.phase.value;
  const { dark } = display.settings.value;
  useEffect(() => {
    if (dark === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = dark;
  }, [dark]);
  if (phase.kind === 'on') return html`<${Screen} key=${phase.edge} api=${api} display=${display} edge=${phase.edge} name=${phase.name} />`;
  return html`
    <main class="screen waiting">
      <p role="status">${t[phase.kind]}</p>
      ${phase.kind === 'refused' && html`<p><a href="/">${t.signIn}</a></p>`}
    </main>
  `;
}
