import { signal } from '@preact/signals';

/** Where we are: the path, without query. Pages with parts of their own read the rest of it. */
export const path = signal('/');

const here = () => decodeURI(location.pathname).replace(/(.)\/+$/, '$1');

/** Asked before another page is shown; somebody has begun something here that would be lost. */
let mayLeave: (() => Promise<boolean>) | undefined;

/** Has people asked before they leave the present page, until the returned function is called. */
export function guardLeaving(ask: () => Promise<boolean>): () => void {
  const warn = (event: Event) => event.preventDefault();
  mayLeave = ask;
  addEventListener('beforeunload', warn);
  return () => {
    if (mayLeave === ask) mayLeave = undefined;
    removeEventListener('beforeunload', warn);
  };
}

async function askFirst(ask: () => Promise<boolean>, then: () => void): Promise<void> {
  if (!(await ask())) return;
  mayLeave = undefined;
  then();
}

/** What lies over another page, which stays where it is: its links say `data-over`. */
interface Over {
  over: true;
}

/** Goes to another page of ours, without loading anything again. */
export function go(to: string, { replace = false, over = false } = {}): void {
  if (to === here() && location.search === '') return;
  if (mayLeave) {
    void askFirst(mayLeave, () => go(to, { replace, over }));
    return;
  }
  const state: Over | null = over ? { over } : null;
  if (replace) history.replaceState(state, '', to);
  else history.pushState(state, '', to);
  path.value = here();
  if (!replace && !over) scrollTo(0, 0);
}

/** Leaves what lies over a page: back to it, or to `below` when that was the first to be opened. */
export function leave(below: string): void {
  if ((history.state as Over | null)?.over) history.back();
  else go(below, { replace: true });
}

/** An ordinary click on a link to a page of ours, which the browser need not load. */
function linkOf(event: MouseEvent): { to: string; over: boolean } | undefined {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return undefined;
  const link = (event.target as Element | null)?.closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin)
    return undefined;
  const { pathname, hash } = link;
  if (hash !== '' || pathname.startsWith('/api/') || pathname === '/kiosk') return undefined;
  return { to: pathname, over: link.dataset.over !== undefined };
}

/** Follows links and the browser's own buttons; ends with the returned function. */
export function startRouting(): () => void {
  const onClick = (event: MouseEvent) => {
    const link = linkOf(event);
    if (!link) return;
    event.preventDefault();
    go(link.to, link);
  };
  const onPop = () => {
    const to = here();
    if (mayLeave && to !== path.peek()) {
      history.pushState(null, '', path.peek());
      void askFirst(mayLeave, () => go(to));
    } else path.value = to;
  };
  onPop();
  addEventListener('click', onClick);
  addEventListener('popstate', onPop);
  return () => {
    removeEventListener('click', onClick);
    removeEventListener('popstate', onPop);
  };
}
