import type { ComponentType, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { html } from '../components/html.ts';
import { Failed, Ghosts } from '../components/load.ts';
import { loadWords, type Part } from '../words/words.ts';

/** Pages of a path take nothing; parts of a page may be handed what {@link LazyProps.props} says. */
type AnyPage = ComponentType<never>;

export interface LazyPage {
  words: readonly Part[];
  load: () => Promise<{ default: AnyPage }>;
}

const pages = new Map<LazyPage, AnyPage>();

async function fetchPage(page: LazyPage): Promise<AnyPage> {
  const [{ default: component }] = await Promise.all([page.load(), loadWords(...page.words)]);
  pages.set(page, component);
  return component;
}

interface LazyProps {
  page: LazyPage;
  /** Handed on to the page. */
  props?: object;
  /** What is in its place until it is there. */
  waiting?: VNode | null;
}

/** A page whose code and words come when it is first opened. */
export function Lazy({ page, props = {}, waiting }: LazyProps): VNode | null {
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
  if (known) return html`<${known} ...${props} />`;
  if (error !== undefined) return html`<div class="page"><${Failed} error=${error} onRetry=${fetchIt} /></div>`;
  if (waiting !== undefined) return waiting;
  return html`<div class="page"><${Ghosts} rows=${4} height="6rem" /></div>`;
}
