import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { hourText, numberText, shortDayText } from '../client/format.ts';
import type { Columns } from '../client/series.ts';
import { html } from '../components/html.ts';

const HEIGHT_PX = 280;
const DAY_S = 86_400;
const FONT = '12px system-ui, sans-serif';

/** A colour of tokens.css as the canvas can take it: only on an element does the browser say which of light and dark it is. */
const colour = (name: string) => () => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};

/** Lines of days are marked by their day, others by their hour; midnight always by its day. */
function timeTexts(splits: readonly number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((seconds) => {
    const isMidnight = new Date(seconds * 1000).getHours() === 0 && new Date(seconds * 1000).getMinutes() === 0;
    return step >= DAY_S || isMidnight ? shortDayText(seconds * 1000) : hourText(seconds * 1000);
  });
}

const axis = { stroke: colour('--ink-soft'), font: FONT, ticks: { show: false }, grid: { stroke: colour('--line'), width: 1 } };

function options(width: number, onPoint: (index: number | undefined) => void): uPlot.Options {
  const edge = { stroke: 'transparent', points: { show: false }, pxAlign: 0 } satisfies uPlot.Series;
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    padding: [12, 24, 0, 0], // right: half of the last time that stands below
    cursor: { y: false, drag: { setScale: false }, points: { size: 9, fill: colour('--series') } },
    scales: { x: { time: true } },
    axes: [
      { ...axis, values: (_, splits) => timeTexts(splits), space: 64, grid: { show: false } },
      {
        ...axis,
        values: (_, splits) => splits.map(numberText),
        size: (_, texts) => 14 + 7 * Math.max(3, ...(texts ?? []).map((text) => text.length)),
      },
    ],
    series: [{}, { stroke: colour('--series'), width: 2, points: { show: false }, pxAlign: 0 }, edge, edge],
    bands: [{ series: [3, 2], fill: colour('--band') }],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  };
}

interface ChartProps {
  columns: Columns;
  fromMs: number;
  toMs: number;
  /** What whoever cannot see it is told. */
  label: string;
  /** Which point is looked at, by pointer or arrow keys. */
  onPoint: (index: number | undefined, byKey: boolean) => void;
}

/** A line over time, with a band from lowest to highest where several readings are one point. */
export default function Chart({ columns, fromMs, toMs, label, onPoint }: ChartProps): VNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const byKey = useRef(false);
  const point = useRef(onPoint);
  point.current = onPoint;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const chart = new uPlot(
      options(element.clientWidth, (index) => point.current(index, byKey.current)),
      [[], [], [], []],
      element,
    );
    plot.current = chart;
    const resizing = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    resizing.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => chart.redraw();
    dark.addEventListener('change', redraw);
    return () => {
      dark.removeEventListener('change', redraw);
      resizing.disconnect();
      chart.destroy();
    };
  }, []);
  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(columns, false);
      plot.current?.setScale('x', { min: fromMs / 1000, max: toMs / 1000 });
    });
  }, [columns, fromMs, toMs]);

  const step = (event: KeyboardEvent) => {
    const chart = plot.current;
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!chart || direction === undefined || columns[0].length === 0) return;
    event.preventDefault();
    const last = columns[0].length - 1;
    const index = Math.max(0, Math.min(last, (chart.cursor.idx ?? (direction < 0 ? last + 1 : -1)) + direction));
    byKey.current = true;
    chart.setCursor({ left: chart.valToPos(columns[0][index] ?? 0, 'x'), top: 0 });
    byKey.current = false;
  };
  return html`<div class="chart" ref=${place} tabindex="0" role="img" aria-label=${label} onKeyDown=${step}></div>`;
}
