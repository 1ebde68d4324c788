import type { LibraryItem, MediaState } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { bytesText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { SearchField } from '../../components/search-field.ts';
import { words } from '../../words/words.ts';
import { type Player, timeText } from './player-state.ts';
import { addUploads, Uploads } from './uploads.ts';

/** Longer lists come in parts, so that a large library does not hold up the page. */
const SHOWN_AT_ONCE = 200;

/** The sound files on the box. */
export function Library({ player, state }: { player: Player; state: MediaState }): VNode {
  const { api } = useBox();
  const t = words('media').library;
  const loader = useLoad((signal) => api.media.library({ signal }));
  const [over, setOver] = useState(false);
  const add = async (files: readonly File[]) => {
    const present = new Set(loader.content.peek()?.map(({ path }) => path));
    const again = files.filter(({ name }) => present.has(name)).map(({ name }) => name);
    const all =
      again.length === 0 || (await confirmed({ title: t.replaceTitle, text: t.replaceText(again.join(', ')), action: t.replace }));
    addUploads(all ? files : files.filter(({ name }) => !present.has(name)), () => void loader.load());
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) void add(files);
  };
  return html`
    <div
      class=${over ? 'library over' : 'library'}
      onDragOver=${(event: DragEvent) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave=${(event: DragEvent) => !(event.currentTarget as Element).contains(event.relatedTarget as Node | null) && setOver(false)}
      onDrop=${drop}
    >
      <${Uploads} />
      <${Show} of=${loader} rows=${4}>
        ${(items: LibraryItem[]) => html`<${Items} items=${items} player=${player} state=${state} onUpload=${(files: readonly File[]) => void add(files)} onChange=${() => void loader.load()} />`}
      <//>
    </div>
  `;
}

interface ItemsProps {
  items: readonly LibraryItem[];
  player: Player;
  state: MediaState;
  onUpload: (files: readonly File[]) => void;
  onChange: () => void;
}

function Items({ items, player, state, onUpload, onChange }: ItemsProps): VNode {
  const { api } = useBox();
  const t = words('media').library;
  const search = useSignal('');
  const [shown, setShown] = useState(SHOWN_AT_ONCE);
  const wanted = search.value.trim().toLowerCase();
  const found = items.filter(({ title, path, artist = '', album = '' }) =>
    [title, path, artist, album].some((text) => text.toLowerCase().includes(wanted)),
  );
  const playNow = async ({ path }: LibraryItem) => {
    const at = state.index === null ? state.queue.length : state.index + 1;
    if (await player.act(() => api.media.enqueue({ body: { source: path, at } })))
      await player.act(() => api.media.play({ body: { index: at } }));
  };
  const addToQueue = async ({ path, title }: LibraryItem) => {
    if (await player.act(() => api.media.enqueue({ body: { source: path } }))) notify(t.added(title));
  };
  const erase = async ({ path, title }: LibraryItem) => {
    if (!(await confirmed({ title: t.eraseTitle(title), text: t.eraseText(path), action: words('shell').remove, danger: true }))) return;
    try {
      await api.media.erase({ params: { file: path } });
      notify(t.erased(title));
    } catch (error) {
      notifyProblem(error);
    }
    onChange();
  };
  if (items.length === 0)
    return html`<${Empty} icon="volume" title=${t.none}><p>${t.noneText}</p><${UploadButton} onFiles=${onUpload} /><//>`;
  return html`
    <section class="panel" aria-label=${t.title}>
      <div class="panel-head"><${SearchField} label=${t.search} value=${search} /><${UploadButton} onFiles=${onUpload} /></div>
      <ul class="rows">
        ${found.slice(0, shown).map(
          (item) => html`
            <li key=${item.path} class="item">
              <button type="button" class="track" title=${t.play} onClick=${() => void playNow(item)}>
                <span class="track-title"><span class="visually-hidden">${t.play}: </span>${item.title}</span>
                <span class="soft">${[item.artist, item.album, item.durationS === null ? '' : timeText(item.durationS), bytesText(item.bytes)].filter(Boolean).join(' · ')}</span>
              </button>
              <span class="row-buttons">
                <button type="button" class="plain" aria-label=${t.add(item.title)} title=${t.addShort} onClick=${() => void addToQueue(item)}><${Icon} name="plus" /></button>
                <button type="button" class="plain" aria-label=${t.erase(item.title)} title=${words('shell').remove} onClick=${() => void erase(item)}><${Icon} name="trash" /></button>
              </span>
            </li>
          `,
        )}
      </ul>
      ${found.length === 0 && html`<p class="panel-text soft">${t.noneFound}</p>`}
      ${found.length > shown && html`<button type="button" class="link" onClick=${() => setShown(shown + SHOWN_AT_ONCE)}>${t.more(found.length - shown)}</button>`}
    </section>
  `;
}

function UploadButton({ onFiles }: { onFiles: (files: readonly File[]) => void }): VNode {
  const id = useId();
  return html`
    <span class="upload-button">
      <input
        id=${id}
        type="file"
        multiple
        accept="audio/*,.flac,.opus,.oga,.mka,.wma"
        onChange=${(event: Event) => {
          const input = event.currentTarget as HTMLInputElement;
          onFiles([...(input.files ?? [])]);
          input.value = '';
        }}
      />
      <label class="button" for=${id}><${Icon} name="upload" />${words('media').library.upload}</label>
    </span>
  `;
}
