import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { countdownText } from '../client/age.ts';
import { textOf } from '../client/homie.ts';
import type { ThingModel } from '../client/things.ts';
import { useNow } from '../components/age.ts';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon, type IconName } from '../components/icons.ts';
import { useLoad } from '../components/load.ts';
import { notifyProblem } from '../components/notices.ts';
import { words } from '../words/words.ts';

export const PLAYER_COLUMNS = 2;

const numberOf = (event: Event) => Number((event.target as HTMLInputElement).value);

/** The player as one tile: what is playing, how far it is, and what can be done about it. */
export function PlayerTile({ thing, canSet }: { thing: ThingModel; canSet: boolean }): VNode {
  const { api, isAdmin } = useBox();
  const t = words('dashboard').player;
  const now = useNow();
  const [busy, setBusy] = useState(false);
  /** Where the finger holds the position. */
  const held = useSignal<number | undefined>(undefined);
  // the bus says where it is only when something happens; at first that may be long ago
  const asked = useLoad(async (signal) => ({ ...(await api.media.state({ signal })), atMs: api.boxNow() }), [api]);

  const properties = new Map(thing.properties.value.map((property) => [property.info.value.property, property]));
  const said = (name: string) => textOf(properties.get(name)?.payload.value ?? '');
  const state = said('state') as keyof typeof t.states;
  const playing = state === 'playing' || state === 'connecting';
  const title = said('title');
  const artist = said('artist');
  const fault = said('fault');
  const muted = said('muted') === 'true';
  const durationS = Number(said('duration')) || 0;

  const positionS = useComputed(() => {
    if (held.value !== undefined) return held.value;
    const position = properties.get('position');
    const timeMs = position?.timeMs.value;
    const content = asked.content.value;
    const [fromS, fromMs] =
      timeMs === undefined ? [content?.positionS ?? 0, content?.atMs ?? now.value] : [Number(position?.payload.value), timeMs];
    const goneS = state === 'playing' ? Math.max(0, (now.value - fromMs) / 1000) : 0;
    return Math.min(fromS + goneS, durationS || Number.POSITIVE_INFINITY);
  });
  const positionText = useComputed(() => countdownText(positionS.value));

  const run = (ask: () => Promise<unknown>) => async () => {
    if (busy) return;
    setBusy(true);
    await ask().catch(notifyProblem);
    setBusy(false);
  };
  const button = (icon: IconName, label: string, ask: () => Promise<unknown>, extra: Record<string, unknown> = {}) => html`
    <button type="button" class="plain" aria-label=${label} title=${label} disabled=${!canSet} aria-busy=${busy} onClick=${run(ask)} ...${extra}>
      <${Icon} name=${icon} />
    </button>
  `;
  const known = Object.hasOwn(t.states, state) ? t.states[state] : '';
  return html`
    <div class="tile player" style=${{ '--w': PLAYER_COLUMNS }} data-on=${state === 'playing' ? 'yes' : undefined}>
      <div class="player-what">
        <p class="player-title" title=${title}>${title || t.nothing}</p>
        <p class="player-artist">
          ${fault ? html`<span class="note bad"><${Icon} name="warning" /><span>${fault}</span></span>` : title ? [artist, known].filter(Boolean).join(' · ') : isAdmin ? html`<a href="/admin/media">${t.choose}</a>` : known}
        </p>
      </div>
      <div class="player-progress">
        <span>${positionText}</span>
        ${
          durationS > 0
            ? html`<input
                type="range"
                min="0"
                max=${Math.round(durationS)}
                step="1"
                aria-label=${t.position}
                aria-valuetext=${positionText}
                disabled=${!canSet}
                value=${positionS}
                onInput=${(event: Event) => {
                  held.value = numberOf(event);
                }}
                onChange=${async (event: Event) => {
                  await api.media.seek({ body: { positionS: numberOf(event) } }).catch(notifyProblem);
                  held.value = undefined;
                }}
              />`
            : html`<span class="player-line"></span>`
        }
        <span>${durationS > 0 ? countdownText(durationS) : playing ? t.live : ''}</span>
      </div>
      <div class="player-buttons">
        ${button('previous', t.previous, () => api.media.previous())}
        ${playing ? button('pause', t.pause, () => api.media.pause(), { class: 'primary round' }) : button('play', t.play, () => api.media.play({ body: {} }), { class: 'primary round' })}
        ${button('next', t.next, () => api.media.next())}
        <span class="player-volume">
          ${button(muted ? 'muted' : 'volume', t.mute, () => api.media.mute({ body: { muted: !muted } }), { 'aria-pressed': muted })}
          <input
            type="range"
            min="0"
            max="100"
            aria-label=${t.volume}
            disabled=${!canSet}
            value=${Number(said('volume')) || 0}
            onChange=${(event: Event) => void api.media.volume({ body: { volume: numberOf(event) } }).catch(notifyProblem)}
          />
        </span>
      </div>
    </div>
  `;
}
