import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { words } from '../words/words.ts';
import '../styles/away.css';

const ASK_EVERY_MS = 1500;
const LONG_MS = 180_000;

/** Why the box is away: it restarts, is switched off, begins anew, or takes up a backup. */
export type AwayReason = 'reboot' | 'power-off' | 'factory-reset' | 'restore';

/** The whole page, while the box is away: says so, asks until it is there again, and loads the page anew. `sinceMs`: when it was asked to go (`performance.now()`). */
export function Away({ reason, sinceMs = performance.now() }: { reason: AwayReason; sinceMs?: number }): VNode {
  const { api } = useBox();
  const t = words('admin').away;
  const dialog = useRef<HTMLDialogElement>(null);
  // Escape closes it all the same when it is pressed twice: browsers let no page hold somebody
  const show = () => dialog.current?.showModal();
  const phase = useSignal<'leaving' | 'gone' | 'long'>('leaving');
  useEffect(() => {
    show();
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      const elapsedMs = performance.now() - sinceMs;
      try {
        const { uptimeS } = await api.server.health({ signal: AbortSignal.any([ended.signal, AbortSignal.timeout(5000)]) });
        // a server that started after we asked: the box has been away, and is back
        if (uptimeS * 1000 < elapsedMs) return location.assign(reason === 'factory-reset' ? '/' : location.pathname);
      } catch {
        phase.value = elapsedMs > LONG_MS && reason !== 'power-off' ? 'long' : 'gone';
      }
      if (!ended.signal.aborted) timer = setTimeout(() => void ask(), ASK_EVERY_MS);
    };
    timer = setTimeout(() => void ask(), ASK_EVERY_MS);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [api, reason]);
  const off = reason === 'power-off' && phase.value !== 'leaving';
  return html`
    <dialog ref=${dialog} class="away" aria-labelledby="away-title" data-off=${off ? 'yes' : undefined} onClose=${show}>
      <span class="away-mark"><${Icon} name=${off ? 'power' : 'mark'} /></span>
      <h1 id="away-title" tabindex="-1">${off ? t.off.title : t[reason].title}</h1>
      <p role="status">${off ? t.off.text : phase.value === 'long' ? t.long : t[reason].text}</p>
    </dialog>
  `;
}
