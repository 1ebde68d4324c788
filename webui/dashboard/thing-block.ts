import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import type { PropertyModel, ThingModel } from '../client/things.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { words } from '../words/words.ts';
import { type Arrangement, isHidden, isPlayer, tileId } from './groups.ts';
import { PLAYER_COLUMNS, PlayerTile } from './player-tile.ts';
import { columnsOf, Tile } from './tile.ts';

interface BlockProps {
  title: unknown;
  aside?: ComponentChildren;
  columns: number;
  away?: boolean;
  children: ComponentChildren;
}

/** Tiles that belong together, under their name; as wide as they are many. */
export function Block({ title, aside, columns, away, children }: BlockProps): VNode {
  const titleId = useId();
  return html`
    <article class="block" style=${{ '--n': columns }} aria-labelledby=${titleId} data-away=${away ? 'yes' : undefined}>
      <header class="block-head"><h3 id=${titleId}>${title}</h3>${aside}</header>
      ${children}
    </article>
  `;
}

/** The values of a thing that somebody wants to see. */
export const shownProperties = (thing: ThingModel, arrangement: Arrangement): PropertyModel[] =>
  thing.properties.value.filter((property) => !isHidden(arrangement, tileId(property)));

interface ThingBlockProps {
  thing: ThingModel;
  arrangement: Arrangement;
  showRoom: boolean;
  canSet: boolean;
}

export function ThingBlock({ thing, arrangement, showRoom, canSet }: ThingBlockProps): VNode | null {
  const t = words('dashboard');
  const state = thing.state.value;
  const away = state === 'lost' || state === 'disconnected';
  const player = isPlayer(thing);
  const properties = shownProperties(thing, arrangement);
  const faults = thing.faults.value;
  if (properties.length === 0 && faults.length === 0) return null;
  const columns = player
    ? PLAYER_COLUMNS
    : Math.max(
        1,
        properties.reduce((sum, { info }) => sum + columnsOf(info.value), 0),
      );
  const aside = html`
    ${state !== 'ready' && html`<span class=${`badge ${state}`}>${t.thingStates[state]}</span>`}
    ${showRoom && thing.room.value && html`<span class="room">${thing.room}</span>`}
  `;
  return html`
    <${Block} title=${thing.name} aside=${aside} columns=${columns} away=${away}>
      ${faults.map((fault) => html`<p class="fault" key=${fault}><${Icon} name="warning" /><span>${fault}</span></p>`)}
      ${
        player
          ? html`<${PlayerTile} thing=${thing} canSet=${canSet && !away} />`
          : html`<dl class="tiles">${properties.map((property) => html`<${Tile} key=${property.key} property=${property} canSet=${canSet && !away} />`)}</dl>`
      }
    <//>
  `;
}
