import { useRef, useState } from 'preact/hooks';

/** A finger is never quite still: so little is a click on the handle. */
const CLICK_PX = 4;

interface Drag {
  from: number;
  to: number;
  movedPx: number;
  heightPx: number;
}

/** Rows that are taken by a handle and put elsewhere. Nothing moves in the document before the row is let go. */
export function useDragging(count: number, onDrop: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag>();
  const list = useRef<HTMLOListElement>(null);
  const wasDragged = useRef(false);

  const begin = (event: PointerEvent, from: number) => {
    const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
    const mine = rows[from];
    if (event.button !== 0 || !mine) return;
    const handle = event.currentTarget as HTMLElement;
    const startPx = event.clientY + scrollY;
    const middles = rows.map(({ top, height }) => top + height / 2 + scrollY);
    let now: Drag = { from, to: from, movedPx: 0, heightPx: mine.height };
    const move = ({ clientY }: PointerEvent) => {
      const movedPx = clientY + scrollY - startPx;
      const middlePx = (middles[from] ?? 0) + movedPx;
      const passed = middles.filter((middle, i) => i !== from && middle < middlePx).length;
      now = { ...now, movedPx, to: Math.min(count - 1, passed) };
      setDrag(now);
    };
    const end = (done: boolean) => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', drop);
      handle.removeEventListener('pointercancel', cancel);
      setDrag(undefined);
      wasDragged.current = Math.abs(now.movedPx) > CLICK_PX;
      if (done && now.to !== from) onDrop(from, now.to);
    };
    const drop = () => end(true);
    const cancel = () => end(false);
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', drop);
    handle.addEventListener('pointercancel', cancel);
  };

  /** How far a row stands aside for the one that is dragged. */
  const shift = (row: number): string | undefined => {
    if (!drag) return undefined;
    if (row === drag.from) return `translateY(${drag.movedPx}px)`;
    if (row > drag.from && row <= drag.to) return `translateY(${-drag.heightPx}px)`;
    if (row < drag.from && row >= drag.to) return `translateY(${drag.heightPx}px)`;
    return undefined;
  };
  return { list, begin, shift, dragged: drag?.from, wasDragged };
}
