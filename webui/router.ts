import { signal } from '@preact/signals';

/** Where we are: the path, without query. Pages with parts of their own read the rest of it. */
export const path = signal('/');

const here = () => decodeURI(location.pathname).replace(/(.)\/+$/, '$1');

/** Goes to another page of ours, without loading anything again. */
export function go(to: string, { replace = false } = {}): void {
  if (to === here() && location.search === '') return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  path.value = here();
  if (!replace) scrollTo(0, 0);
}

/** An ordinary click on a link to a page of ours, which the browser need not load. */
function linkOf(event: MouseEvent): string | undefined {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return undefined;
  const link = (event.target as Element | null)?.closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin)
    return undefined;
  const { pathname, hash } = link;
  return hash !== '' || pathname.startsWith('/api/') || pathname === '/kiosk' ? undefined : pathname;
}

/** Follows links and the browser's own buttons; ends with the returned function. */
export function startRouting(): () => void {
  const onClick = (event: MouseEvent) => {
    const to = linkOf(event);
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  const onPop = () => {
    path.value = here();
  };
  onPop();
  addEventListener('click', onClick);
  addEventListener('popstate', onPop);
  return () => {
    removeEventListener('click', onClick);
    removeEventListener('popstate', onPop);
  };
}
