import { useEffect } from 'preact/hooks';
import type { Loader } from '../client/load.ts';

/** Asks again and again while the page is seen, for what nothing tells of its changes. `firstMs` is for what needs two answers. */
export function usePoll(loader: Loader<unknown>, everyMs: number, firstMs = everyMs): void {
  useEffect(() => {
    const ask = () => {
      if (!document.hidden) void loader.load();
    };
    const first = setTimeout(ask, firstMs);
    const timer = setInterval(ask, everyMs);
    document.addEventListener('visibilitychange', ask);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, [loader, everyMs, firstMs]);
}
