import type { MediaState, Track } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty } from '../../components/load.ts';
import { notify } from '../../components/notices.ts';
import { words } from '../../words/words.ts';
import { useDragging } from './dragging.ts';
import { type Player, timeText } from './player-state.ts';
import { SavePlaylist } from './playlists.ts';

const moved = (queue: readonly Track[], from: number, to: number): Track[] => {
  const next = [...queue];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
};

/** What plays next: to be put in order by hand or by keys. */
export function Queue({ player, state }: { player: Player; state: MediaState }): VNode {
  const { api } = useBox();
  const t = words('media').queue;
  const { queue, index } = state;
  const [saving, setSaving] = useState(false);
  const [said, setSaid] = useState('');
  /** On a phone, the row whose buttons are shown. */
  const [moving, setMoving] = useState<string>();
  const move = async (from: number, to: number) => {
    const track = queue[from];
    if (!track || to < 0 || to >= queue.length) return;
    const playing = index === null ? undefined : queue[index];
    const next = moved(queue, from, to);
    player.foresee({ queue: next, index: playing ? next.indexOf(playing) : null });
    if (await player.act(() => api.media.move({ params: { id: track.id }, body: { to } }))) setSaid(t.movedTo(track.title, to + 1));
  };
  const { list, begin, shift, dragged, wasDragged } = useDragging(queue.length, (from, to) => void move(from, to));
  const remove = async (track: Track, at: number) => {
    if (!(await player.act(() => api.media.dequeue({ params: { id: track.id } })))) return;
    notify(
      t.removed(track.title),
      () => void player.act(() => api.media.enqueue({ body: { source: track.source, title: track.title, at } })),
    );
  };
  const clear = async () => {
    if (await confirmed({ title: t.clearTitle, text: t.clearText, action: t.clear, danger: true }))
      await player.act(() => api.media.clear());
  };
  if (queue.length === 0) {
    return html`<${Empty} icon="list" title=${t.none}><p>${t.noneText}</p><p class="empty-ways"><a class="button" href="/admin/media/library">${words('media').tabs.library}</a><a class="button" href="/admin/media/radio">${words('media').tabs.radio}</a></p><//>`;
  }
  const totalS = queue.reduce((sum, { durationS }) => sum + (durationS ?? 0), 0);
  return html`
    <section class="panel" aria-label=${t.title}>
      <div class="panel-head">
        <p class="soft">${t.count(queue.length)}${totalS > 0 && ` · ${timeText(totalS)}`}</p>
        <div class="buttons">
          <button type="button" onClick=${() => setSaving(true)}>${t.save}</button>
          <button type="button" onClick=${() => void clear()}>${t.clear}</button>
        </div>
      </div>
      <ol class="rows queue" ref=${list}>
        ${queue.map(
          (track, i) => html`
            <li key=${track.id} class=${[i === index && 'current', i === dragged && 'dragged', track.id === moving && 'moving'].filter(Boolean).join(' ')} style=${{ transform: shift(i) }}>
              <button
                type="button"
                class="plain handle"
                aria-label=${t.place(track.title, i + 1, queue.length)}
                title=${t.drag}
                onPointerDown=${(event: PointerEvent) => begin(event, i)}
                onClick=${() => !wasDragged.current && setMoving(track.id === moving ? undefined : track.id)}
                onKeyDown=${(event: KeyboardEvent) => {
                  const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
                  if (by === 0) return;
                  event.preventDefault();
                  void move(i, i + by);
                }}
              >
                <${Icon} name="drag" />
              </button>
              <button type="button" class="track" aria-current=${i === index ? 'true' : undefined} title=${t.playThis} onClick=${() => void player.act(() => api.media.play({ body: { index: i } }))}>
                <span class="track-title">${track.title}</span>
                <span class="soft">${[track.artist, track.durationS === null ? '' : timeText(track.durationS)].filter(Boolean).join(' · ')}</span>
              </button>
              ${i === index && html`<span class="playing-mark"><${Icon} name="volume" /><span class="visually-hidden">${t.playing}</span></span>`}
              <span class="row-buttons moves">
                <button type="button" class="plain" disabled=${i === 0} aria-label=${t.up(track.title)} title=${t.upShort} onClick=${() => void move(i, i - 1)}><${Icon} name="up" /></button>
                <button type="button" class="plain" disabled=${i === queue.length - 1} aria-label=${t.down(track.title)} title=${t.downShort} onClick=${() => void move(i, i + 1)}><${Icon} name="down" /></button>
              </span>
              <span class="row-buttons">
                <button type="button" class="plain" aria-label=${t.remove(track.title)} title=${t.removeShort} onClick=${() => void remove(track, i)}><${Icon} name="close" /></button>
              </span>
            </li>
          `,
        )}
      </ol>
      <p class="visually-hidden" role="status">${said}</p>
    </section>
    ${saving && html`<${SavePlaylist} onClose=${() => setSaving(false)} />`}
  `;
}
