import type { MediaState } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import { type Player, timeText, usePosition } from './player-state.ts';

const NEXT_REPEAT = { off: 'all', all: 'one', one: 'off' } as const;
const STATION = /^https?:/;
/** A volume that is dragged is said so often. */
const SAID_EVERY_MS = 150;

/** What plays now, and its controls. */
export function PlayerCard({ player, state }: { player: Player; state: MediaState }): VNode {
  const { api } = useBox();
  const t = words('media').player;
  const { track, streamTitle, repeat, fault, output, queue } = state;
  const { act } = player;
  const runs = state.state === 'playing' || state.state === 'connecting';
  const artist = [track?.artist, track?.album].filter(Boolean).join(' · ');
  const nextRepeat = NEXT_REPEAT[repeat];
  return html`
    <section class="panel player" aria-label=${t.title}>
      <div class="player-now">
        <div class=${`cover ${state.state}`} aria-hidden="true"><${Icon} name=${track && STATION.test(track.source) ? 'globe' : 'volume'} /></div>
        <div class="player-track" role="status">
          <p class="player-state soft">${track ? t.states[state.state] : t.nothing}</p>
          <p class="player-title">${streamTitle ?? track?.title ?? (queue.length > 0 ? t.ready : t.choose)}</p>
          <p class="soft">${streamTitle ? track?.title : artist}</p>
        </div>
      </div>
      <${Seek} player=${player} state=${state} />
      <div class="player-buttons" role="group" aria-label=${t.controls}>
        <button
          type="button"
          class=${repeat === 'off' ? 'plain repeat' : 'plain repeat on'}
          aria-label=${`${t.repeats[repeat]}. ${t.change(t.repeats[nextRepeat])}`}
          title=${t.repeats[repeat]}
          onClick=${() => void act(() => api.media.repeat({ body: { repeat: nextRepeat } }))}
        >
          <${Icon} name="repeat" />${repeat === 'one' && html`<span class="repeat-one" aria-hidden="true">1</span>`}
        </button>
        <button type="button" class="plain" aria-label=${t.previous} title=${t.previous} disabled=${queue.length === 0} onClick=${() => void act(() => api.media.previous())}><${Icon} name="previous" /></button>
        <button
          type="button"
          class="primary player-play"
          aria-label=${runs ? t.pause : t.play}
          title=${runs ? t.pause : t.play}
          disabled=${queue.length === 0}
          onClick=${() => void act(() => (runs ? api.media.pause() : api.media.play({ body: {} })))}
        >
          <${Icon} name=${runs ? 'pause' : 'play'} />
        </button>
        <button type="button" class="plain" aria-label=${t.next} title=${t.next} disabled=${queue.length === 0} onClick=${() => void act(() => api.media.next())}><${Icon} name="next" /></button>
        <button type="button" class="plain" aria-label=${t.stop} title=${t.stop} disabled=${state.state === 'stopped'} onClick=${() => void act(() => api.media.stop())}><${Icon} name="stop" /></button>
      </div>
      <${Volume} player=${player} state=${state} />
      ${fault && html`<p class="player-fault" role="status"><${Icon} name="warning" /><span>${fault}</span></p>`}
      <p class="soft player-output">${t.output(output)}</p>
    </section>
  `;
}

function Seek({ player, state }: { player: Player; state: MediaState }): VNode {
  const { api } = useBox();
  const t = words('media').player;
  const position = usePosition(player.loader);
  const dragged = useSignal<number | undefined>(undefined);
  const { durationS } = state;
  const atS = dragged.value ?? position.value;
  const seek = async (positionS: number) => {
    player.foresee({ positionS });
    dragged.value = undefined;
    await player.act(() => api.media.seek({ body: { positionS } }));
  };
  const canSeek = durationS !== null && state.track !== null && state.state !== 'stopped';
  return html`
    <div class="seek">
      <input
        type="range"
        min="0"
        max=${Math.max(1, Math.floor(durationS ?? 1))}
        step="1"
        value=${durationS === null ? 0 : Math.floor(atS)}
        disabled=${!canSeek}
        aria-label=${t.position}
        aria-valuetext=${durationS === null ? timeText(atS) : t.of(timeText(atS), timeText(durationS))}
        onInput=${(event: Event) => {
          dragged.value = Number((event.currentTarget as HTMLInputElement).value);
        }}
        onChange=${(event: Event) => void seek(Number((event.currentTarget as HTMLInputElement).value))}
      />
      <div class="seek-times soft" aria-hidden="true"><span>${state.track ? timeText(atS) : '–:––'}</span><span>${durationS === null ? (state.track ? t.live : '–:––') : timeText(durationS)}</span></div>
    </div>
  `;
}

function Volume({ player, state }: { player: Player; state: MediaState }): VNode {
  const { api } = useBox();
  const t = words('media').player;
  const dragged = useSignal<number | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { muted } = state;
  const volume = dragged.value ?? state.volume;
  const say = async (wanted: number) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    await player.act(() => api.media.volume({ body: { volume: wanted } }));
  };
  return html`
    <div class="volume">
      <button type="button" class="plain" aria-pressed=${muted} aria-label=${t.mute} title=${muted ? t.unmute : t.mute} onClick=${() => void player.act(() => api.media.mute({ body: { muted: !muted } }))}>
        <${Icon} name=${muted ? 'muted' : 'volume'} />
      </button>
      <input
        type="range"
        min="0"
        max="100"
        step="1"
        value=${volume}
        aria-label=${t.volume}
        aria-valuetext=${`${volume} %`}
        onInput=${(event: Event) => {
          const wanted = Number((event.currentTarget as HTMLInputElement).value);
          dragged.value = wanted;
          timer.current ??= setTimeout(() => void say(dragged.peek() ?? wanted), SAID_EVERY_MS);
        }}
        onChange=${async (event: Event) => {
          await say(Number((event.currentTarget as HTMLInputElement).value));
          dragged.value = undefined;
        }}
      />
      <span class="volume-text soft">${volume}\u00a0%</span>
    </div>
  `;
}
