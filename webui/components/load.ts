import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { Loader } from '../client/load.ts';
import { words } from '../words/words.ts';
import { useBox } from './box.ts';
import { html } from './html.ts';
import { Icon } from './icons.ts';
import { problemText } from './problem-text.ts';

/** Asks when it is first shown, when `keys` change, and again whenever the connection comes back. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[] = []): Loader<T> {
  const { live } = useBox();
  const loader = useMemo(() => new Loader(ask), keys);
  const epoch = live.epoch.value;
  useEffect(() => {
    void loader.load();
    return () => loader.stop();
  }, [loader, epoch]);
  return loader;
}

/** Asks again when one of these things happens on the box. */
export function useReloadOn(loader: Loader<unknown>, kinds: readonly string[]): void {
  const { live } = useBox();
  useEffect(() => live.onEvent((kind) => kinds.includes(kind) && void loader.load()), [loader, live, kinds.join()]);
}

/** Grey places where content will be, as high as it, so that nothing jumps. */
export const Ghosts = ({ rows = 3, height = '3.5rem' }: { rows?: number; height?: string }): VNode => html`
  <div class="ghosts" aria-hidden="true" style=${{ '--ghost': height }}>${Array.from({ length: rows }, (_, i) => html`<div class="ghost" key=${i}></div>`)}</div>
`;

export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }): VNode {
  const t = words('shell');
  return html`
    <div class="failed" role="alert">
      <${Icon} name="warning" />
      <div><strong>${t.failed}</strong><p>${problemText(error)}</p></div>
      <button type="button" onClick=${onRetry}>${t.retry}</button>
    </div>
  `;
}

/** Nothing there yet, and what to do about it. */
export const Empty = ({ icon = 'box', title, children }: { icon?: string; title: string; children?: ComponentChildren }): VNode => html`
  <div class="empty"><${Icon} name=${icon} /><p><strong>${title}</strong></p>${children}</div>
`;

interface ShowProps<T> {
  of: Loader<T>;
  rows?: number;
  height?: string;
  children: (content: T) => ComponentChildren;
}

/** Content once it is there; before that its place, and when it cannot be had, why and a way to try again. */
export function Show<T>({ of, rows, height, children }: ShowProps<T>): VNode {
  const content = of.content.value;
  const error = of.error.value;
  if (content !== undefined) return html`${children(content)}`;
  if (error !== undefined) return html`<${Failed} error=${error} onRetry=${() => void of.load()} />`;
  return html`<div role="status" class="visually-hidden">${words('shell').loading}</div><${Ghosts} rows=${rows} height=${height} />`;
}
