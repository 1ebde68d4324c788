import type { ComponentType, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { html } from '../components/html.ts';
import { Failed, Ghosts } from '../components/load.ts';
import { loadWords, type Part } from '../words/words.ts';

export interface LazyPage {
  words: readonly Part[];
  load: () => Promise<{ default: ComponentType }>;
}

const pages = new Map<LazyPage, ComponentType>();

async function fetchPage(page: LazyPage): Promise<ComponentType> {
  const [{ default: component }] = await Promise.all([page.load(), loadWords(...page.words)]);
  pages.set(page, component);
  return component;
}

/** A page whose code and words come when it is first opened. */
export function Lazy({ page }: { page: LazyPage }): VNode {
  const [, redraw] = useState(0);
  const [error, setError] = useState<unknown>();
  const known = pages.get(page);
  const fetchIt = () => {
    setError(undefined);
    fetchPage(page)
      .then(() => redraw((n) => n + 1))
      .catch(setError);
  };
  useEffect(() => {
    if (!known) fetchIt();
  }, [page]);
  if (known) return html`<${known} />`;
  if (error !== undefined) return html`<div class="page"><${Failed} error=${error} onRetry=${fetchIt} /></div>`;
  return html`<div class="page"><${Ghosts} rows=${4} height="6rem" /></div>`;
}
