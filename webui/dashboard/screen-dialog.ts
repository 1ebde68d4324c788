import type { KioskSettings } from '@ledge/contract';
import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../components/box.ts';
import { Dialog } from '../components/dialog.ts';
import { SelectField, TextField } from '../components/field.ts';
import { html } from '../components/html.ts';
import { Show, useLoad } from '../components/load.ts';
import { notify, notifyProblem } from '../components/notices.ts';
import { Segments } from '../components/segments.ts';
import { readingText } from '../components/value-text.ts';
import { words } from '../words/words.ts';
import { moved, tileId, toggled } from './groups.ts';
import { IconButton } from './icon-button.ts';

const MOST_TILES = 24;
const HIGH = 'min(50vh, 24rem)';

interface OrderProps {
  tiles: readonly string[];
  nameOf: (tile: string) => string;
  onTiles: (tiles: string[]) => void;
}

/** What is chosen, as it follows on the display. */
function Order({ tiles, nameOf, onTiles }: OrderProps): VNode {
  const t = words('dashboard');
  const [said, setSaid] = useState('');
  const move = (from: number, to: number) => {
    onTiles(moved(tiles, from, to));
    setSaid(t.arrange.moved(nameOf(tiles[from] ?? ''), to + 1, tiles.length));
  };
  return html`
    <ol class="screen-order" aria-label=${t.screen.chosen(tiles.length)}>
      ${tiles.map((tile, at) => {
        const name = nameOf(tile);
        return html`
          <li key=${tile}>
            <span class="screen-name">${name}</span>
            <${IconButton} icon="up" label=${t.arrange.up(name)} disabled=${at === 0} onClick=${() => move(at, at - 1)} />
            <${IconButton} icon="down" label=${t.arrange.down(name)} disabled=${at === tiles.length - 1} onClick=${() => move(at, at + 1)} />
            <${IconButton} icon="close" label=${t.screen.leaveOut(name)} onClick=${() => onTiles(toggled(tiles, tile))} />
          </li>
        `;
      })}
    </ol>
    <p class="visually-hidden" role="status">${said}</p>
  `;
}

function Choice({ kept, onClose }: { kept: KioskSettings; onClose: () => void }): VNode {
  const { api, live } = useBox();
  const t = words('dashboard').screen;
  const shell = words('shell');
  const [draft, setDraft] = useState(kept);
  const [query, setQuery] = useState('');
  const [view, setView] = useState<keyof typeof t.views>('all');
  const [busy, setBusy] = useState(false);
  const all = useComputed(() =>
    live.things.list.value.flatMap((thing) =>
      thing.properties.value.map((property) => ({
        property,
        id: tileId(property),
        name: `${thing.name.value} · ${property.info.value.name}`,
      })),
    ),
  ).value;
  const wanted = query.toLowerCase();
  const found = all.filter(({ name, id }) => name.toLowerCase().includes(wanted) || id.includes(wanted));
  const save = async () => {
    setBusy(true);
    try {
      await api.server.changeKiosk({ body: draft });
      notify(shell.saved);
      onClose();
    } catch (error) {
      notifyProblem(error);
      setBusy(false);
    }
  };
  const nameOf = (tile: string) => all.find(({ id }) => id === tile)?.name ?? tile;
  const set = (some: Partial<KioskSettings>) => setDraft({ ...draft, ...some });
  return html`
    <p class="soft">${t.lead}</p>
    <div class="screen-fields">
      <${TextField} label=${t.heading} value=${draft.title} maxlength="100" onInput=${(title: string) => set({ title })} />
      <${SelectField} label=${shell.theme} value=${draft.dark} options=${Object.entries(shell.themes)} onInput=${(dark: KioskSettings['dark']) => set({ dark })} />
    </div>
    <${Segments} label=${t.view} value=${view} options=${Object.entries(t.views)} onChoose=${setView} />
    <div class="screen-view">
      ${
        view === 'chosen'
          ? html`<${Order} tiles=${draft.tiles} nameOf=${nameOf} onTiles=${(tiles: string[]) => set({ tiles })} />`
          : html`
            <${TextField} label=${t.search} type="search" value=${query} onInput=${setQuery} />
            <ul class="screen-choices" tabindex="0" aria-label=${t.chosen(draft.tiles.length)}>
              ${found.map(({ property, id, name }) => {
                const chosen = draft.tiles.includes(id);
                return html`
                  <li key=${id}>
                    <label>
                      <input
                        type="checkbox"
                        checked=${chosen}
                        disabled=${!chosen && draft.tiles.length >= MOST_TILES}
                        onChange=${() => set({ tiles: toggled(draft.tiles, id) })}
                      />
                      <span class="screen-name">${name}</span>
                      <span class="soft">${readingText(property.info.value, property.payload.peek() ?? '')}</span>
                    </label>
                  </li>
                `;
              })}
            </ul>
          `
      }
    </div>
    <div class="buttons">
      <span class="soft screen-count" role="status">${t.chosen(draft.tiles.length)}</span>
      <a class="button" href="/kiosk" target="_blank">${t.open}</a>
      <button type="button" class="primary" disabled=${busy} onClick=${save}>${busy ? shell.saving : shell.save}</button>
    </div>
  `;
}

/** What the box's own display shows. */
export function ScreenDialog({ onClose }: { onClose: () => void }): VNode {
  const { api } = useBox();
  const loader = useLoad((signal) => api.server.kiosk({ signal }), [api]);
  return html`
    <${Dialog} title=${words('dashboard').arrange.screen} onClose=${onClose}>
      <${Show} of=${loader} rows=${1} height=${HIGH}>${(kept: KioskSettings) => html`<${Choice} kept=${kept} onClose=${onClose} />`}<//>
    <//>
  `;
}
