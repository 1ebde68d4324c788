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
import { readingText } from '../components/value-text.ts';
import { words } from '../words/words.ts';
import { tileId, toggled } from './groups.ts';

const MOST_TILES = 24;
const HIGH = 'min(50vh, 24rem)';

function Choice({ kept, onClose }: { kept: KioskSettings; onClose: () => void }): VNode {
  const { api, live } = useBox();
  const t = words('dashboard').screen;
  const shell = words('shell');
  const [draft, setDraft] = useState(kept);
  const [query, setQuery] = useState('');
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
  const set = (some: Partial<KioskSettings>) => setDraft({ ...draft, ...some });
  return html`
    <p class="soft">${t.lead}</p>
    <div class="screen-fields">
      <${TextField} label=${t.heading} value=${draft.title} maxlength="100" onInput=${(title: string) => set({ title })} />
      <${SelectField} label=${shell.theme} value=${draft.dark} options=${Object.entries(shell.themes)} onInput=${(dark: KioskSettings['dark']) => set({ dark })} />
      <${TextField} label=${t.search} type="search" value=${query} onInput=${setQuery} />
    </div>
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
              <span>${name}</span>
              <span class="soft">${readingText(property.info.value, property.payload.peek() ?? '')}</span>
            </label>
          </li>
        `;
      })}
    </ul>
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
