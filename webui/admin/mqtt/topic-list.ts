import { type Signal, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { clockText, numberText } from '../../client/format.ts';
import type { TopicFeed } from '../../client/topic-feed.ts';
import type { TopicNode, TopicRow } from '../../client/topic-tree.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import { oneLine } from './payload.ts';

const ROW_REM = 2.75;
/** Rows that are drawn above and below those that are seen. */
const SPARE_ROWS = 8;
/** The levels that a filter names are unfolded: `a/b` and `a` for `a/b/#`. */
function namedLevels(filter: string): Set<string> {
  const levels = filter.split('/');
  const wild = levels.findIndex((level) => level === '+' || level === '#');
  const named = wild < 0 ? levels : levels.slice(0, wild);
  return new Set(named.map((_, i) => named.slice(0, i + 1).join('/')));
}

const rowPx = () => ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

interface ListProps {
  feed: TopicFeed;
  filter: string;
  selected: Signal<string | undefined>;
  /** Somebody wants to see more of the selected topic. */
  onOpen: () => void;
}

/** The tree of topics. Only the rows that are seen are drawn, so that thousands cost nothing. */
export function TopicList({ feed, filter, selected, onOpen }: ListProps): VNode {
  const t = words('mqtt').topics;
  const version = feed.version.value;
  const unfolded = useSignal<ReadonlySet<string>>(namedLevels(filter));
  const place = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ from: 0, height: 600 });
  const { tree } = feed;
  const rows = useMemo(() => tree.rows(unfolded.value), [tree, version, unfolded.value]);
  const rowHeight = rowPx();
  const first = Math.max(0, Math.floor(view.from / rowHeight) - SPARE_ROWS);
  const last = Math.min(rows.length, Math.ceil((view.from + view.height) / rowHeight) + SPARE_ROWS);
  const at = rows.findIndex(({ node }) => node.topic === selected.value);

  useEffect(() => {
    const here = place.current;
    if (!here) return;
    const look = () => setView({ from: here.scrollTop, height: here.clientHeight });
    const sizes = new ResizeObserver(look);
    sizes.observe(here);
    here.addEventListener('scroll', look, { passive: true });
    return () => {
      sizes.disconnect();
      here.removeEventListener('scroll', look);
    };
  }, []);

  const fold = (node: TopicNode, open: boolean) => {
    const next = new Set(unfolded.peek());
    if (open) next.add(node.topic);
    else next.delete(node.topic);
    unfolded.value = next;
  };
  const select = (row: number) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, row))];
    const here = place.current;
    if (!next || !here) return;
    selected.value = next.node.topic;
    const top = rows.indexOf(next) * rowHeight;
    if (top < here.scrollTop) here.scrollTop = top;
    else if (top + rowHeight > here.scrollTop + here.clientHeight) here.scrollTop = top + rowHeight - here.clientHeight;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const node = rows[at]?.node;
    const open = node !== undefined && node.children.size > 0 && unfolded.peek().has(node.topic);
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const acts: Record<string, () => void> = {
      ArrowDown: () => select(at + 1),
      ArrowUp: () => select(at < 0 ? 0 : at - 1),
      PageDown: () => select(at + page),
      PageUp: () => select(at - page),
      Home: () => select(0),
      End: () => select(rows.length - 1),
      ArrowRight: () => (node && node.children.size > 0 && !open ? fold(node, true) : select(at + 1)),
      ArrowLeft: () =>
        node && open ? fold(node, false) : node?.parent?.parent && select(rows.findIndex((row) => row.node === node.parent)),
      Enter: () => node && (node.value ? onOpen() : fold(node, !open)),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const onClick = (node: TopicNode, onFold: boolean) => {
    selected.value = node.topic;
    if (node.children.size > 0 && (onFold || node.value === undefined)) fold(node, !unfolded.peek().has(node.topic));
    else onOpen();
  };

  return html`
    <div class="topic-list" ref=${place} role="tree" tabindex="0" aria-label=${t.title} aria-activedescendant=${at >= first && at < last ? `topic-${at}` : undefined} onKeyDown=${onKeyDown} onFocus=${() => at < 0 && select(0)}>
      <div role="none" class="topic-rows" style=${{ height: `${rows.length * rowHeight}px` }}>
        ${rows.slice(first, last).map(
          (row, i) => html`
            <${Row}
              key=${row.node.topic}
              row=${row}
              at=${first + i}
              top=${(first + i) * rowHeight}
              open=${unfolded.value.has(row.node.topic)}
              selected=${row.node.topic === selected.value}
              onClick=${onClick}
            />
          `,
        )}
      </div>
      ${rows.length === 0 && feed.listening.value && html`<p class="panel-text soft" role="none">${t.silence}</p>`}
    </div>
  `;
}

interface RowProps {
  row: TopicRow;
  at: number;
  top: number;
  open: boolean;
  selected: boolean;
  onClick: (node: TopicNode, onFold: boolean) => void;
}

function Row({ row: { node, position, siblings }, at, top, open, selected, onClick }: RowProps): VNode {
  const t = words('mqtt').topics;
  const { name, depth, children, value, messagesBelow, topicsBelow } = node;
  const folds = children.size > 0;
  return html`
    <div
      id=${`topic-${at}`}
      class="topic-row"
      role="treeitem"
      aria-level=${depth + 1}
      aria-posinset=${position}
      aria-setsize=${siblings}
      aria-expanded=${folds ? open : undefined}
      aria-selected=${selected}
      style=${{ transform: `translateY(${top}px)`, '--depth': depth }}
      onClick=${(event: MouseEvent) => onClick(node, (event.target as Element).closest('.topic-fold') !== null)}
    >
      <span class="topic-fold">${folds && html`<${Icon} name="right" />`}</span>
      <span class="topic-name">${name === '' ? t.empty : name}</span>
      ${value?.retained && html`<span class="topic-kept" title=${t.retained}><${Icon} name="lock" /><span class="visually-hidden">${t.retained}</span></span>`}
      <span class="topic-value">${value ? oneLine(value, t) : html`<span class="soft">${t.count(topicsBelow, numberText(topicsBelow))}</span>`}</span>
      <span class="topic-messages soft" title=${t.messages}>${numberText(messagesBelow)}</span>
      <span class="topic-time soft">${value ? clockText(value.atMs) : ''}</span>
    </div>
  `;
}
