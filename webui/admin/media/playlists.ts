import type { Got, MediaState, mediaApi } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { confirmed, Dialog } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { problemText } from '../../components/problem-text.ts';
import { go } from '../../router.ts';
import { words } from '../../words/words.ts';
import type { Player } from './player-state.ts';

type Lists = Got<(typeof mediaApi)['playlists']>;

/** Stored queues. */
export function Playlists({ player, state }: { player: Player; state: MediaState }): VNode {
  const { api } = useBox();
  const t = words('media').playlists;
  const loader = useLoad((signal) => api.media.playlists({ signal }));
  const load = async (name: string) => {
    if (state.queue.length > 0 && !(await confirmed({ title: t.loadTitle(name), text: t.loadText, action: t.load }))) return;
    if (!(await player.act(() => api.media.loadPlaylist({ params: { name } })))) return;
    await player.act(() => api.media.play({ body: { index: 0 } }));
    go('/admin/media');
  };
  const remove = async (name: string) => {
    if (!(await confirmed({ title: t.removeTitle(name), text: t.removeText, action: words('shell').remove, danger: true }))) return;
    try {
      await api.media.removePlaylist({ params: { name } });
      notify(t.removed(name));
    } catch (error) {
      notifyProblem(error);
    }
    void loader.load();
  };
  return html`
    <${Show} of=${loader} rows=${2}>
      ${(lists: Lists) =>
        lists.length === 0
          ? html`<${Empty} icon="list" title=${t.none}><p>${t.noneText}</p><//>`
          : html`
              <section class="panel" aria-label=${t.title}>
                <ul class="rows">
                  ${lists.map(
                    ({ name, tracks }) => html`
                      <li key=${name} class="item">
                        <div class="grow"><span class="track-title">${name}</span><p class="soft">${words('media').queue.count(tracks)}</p></div>
                        <button type="button" class="plain" aria-label=${t.loadOne(name)} title=${t.load} onClick=${() => void load(name)}><${Icon} name="play" /></button>
                        <button type="button" class="plain" aria-label=${t.remove(name)} title=${words('shell').remove} onClick=${() => void remove(name)}><${Icon} name="trash" /></button>
                      </li>
                    `,
                  )}
                </ul>
              </section>
            `}
    <//>
  `;
}

/** Asks for the name under which the queue is stored. */
export function SavePlaylist({ onClose }: { onClose: () => void }): VNode {
  const { api } = useBox();
  const t = words('media').playlists;
  const [name, setName] = useState('');
  const [error, setError] = useState<string>();
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await api.media.savePlaylist({ params: { name: name.trim() } });
      notify(t.saved(name.trim()));
      onClose();
    } catch (refusal) {
      setError(problemText(refusal));
    }
  };
  return html`
    <${Dialog} title=${t.saveTitle} onClose=${onClose}>
      <form class="stack" onSubmit=${save} novalidate>
        <${TextField} label=${t.name} value=${name} onInput=${setName} error=${error} hint=${t.nameHint} maxlength="64" autocomplete="off" autofocus />
        <div class="buttons">
          <button type="button" onClick=${onClose}>${words('shell').cancel}</button>
          <button type="submit" class="primary" disabled=${name.trim() === ''}>${words('shell').save}</button>
        </div>
      </form>
    <//>
  `;
}
