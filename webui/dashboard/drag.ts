import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';

/** So near to the edge of the window the page scrolls along. */
const EDGE_PX = 70;
const SCROLL_PX = 14;

/**
 * Rows of a list that are dragged by a handle, by mouse, pen or finger. The list itself holds the pointer, because the row under it
 * changes its place in the document while it is dragged.
 */
export function useDrag(list: RefObject<HTMLElement | null>, move: (from: number, to: number) => void) {
  const [dragged, setDragged] = useState<string>();
  const held = useRef<{ id: string; y: number; frame: number }>(undefined);

  const rows = () => [...(list.current?.children ?? [])] as HTMLElement[];
  const follow = () => {
    const drag = held.current;
    if (!drag) return;
    if (drag.y < EDGE_PX) scrollBy(0, -SCROLL_PX);
    if (drag.y > innerHeight - EDGE_PX) scrollBy(0, SCROLL_PX);
    const all = rows();
    const from = all.findIndex((row) => row.dataset.id === drag.id);
    const middle = (row: HTMLElement) => row.getBoundingClientRect().top + row.offsetHeight / 2;
    const to = all.filter((row, at) => at !== from && middle(row) < drag.y).length;
    if (from >= 0 && to !== from) move(from, to);
    drag.frame = requestAnimationFrame(follow);
  };
  const end = () => {
    if (held.current) cancelAnimationFrame(held.current.frame);
    held.current = undefined;
    setDragged(undefined);
  };
  return {
    dragged,
    /** For the handle of a row. */
    start: (id: string) => (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.preventDefault();
      list.current?.setPointerCapture(event.pointerId);
      end();
      held.current = { id, y: event.clientY, frame: requestAnimationFrame(follow) };
      setDragged(id);
    },
    /** For the list. */
    onPointerMove: (event: PointerEvent) => {
      if (held.current) held.current.y = event.clientY;
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}
