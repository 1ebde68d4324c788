import type { HistoryPoint } from '@ledge/contract';
import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { dateTimeText } from '../client/format.ts';
import { changesOf, columnsOf, extentOf } from '../client/series.ts';
import type { PropertyModel } from '../client/things.ts';
import { Age } from '../components/age.ts';
import { useBox } from '../components/box.ts';
import { Dialog } from '../components/dialog.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { Empty, Show, useLoad } from '../components/load.ts';
import { Segments } from '../components/segments.ts';
import { readingText } from '../components/value-text.ts';
import { leave, path } from '../router.ts';
import { words } from '../words/words.ts';
import '../styles/history.css';
import Chart from './chart.ts';
import { isNumber, Reading } from './tile.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far back each goes, and how often it is asked again. */
const SPANS = {
  hour: { ms: HOUR_MS, againMs: 10_000 },
  day: { ms: DAY_MS, againMs: 60_000 },
  week: { ms: 7 * DAY_MS, againMs: 300_000 },
  month: { ms: 30 * DAY_MS, againMs: 300_000 },
} as const;
type Span = keyof typeof SPANS;
const POINTS = 300;

interface Asked {
  points: readonly HistoryPoint[];
  fromMs: number;
  toMs: number;
}
interface PartProps {
  property: PropertyModel;
  asked: Asked;
}

function NumberHistory({ property, asked }: PartProps): VNode {
  const t = words('dashboard').chart;
  const { points, fromMs, toMs } = asked;
  const info = property.info.value;
  // of a young box all that there is, and not a stroke at the edge
  const firstMs = Math.max(fromMs, Date.parse(points[0]?.time ?? '') || fromMs);
  const columns = useMemo(() => columnsOf(points), [points]);
  const extent = useMemo(() => extentOf(points, columns), [points, columns]);
  const [at, setAt] = useState<{ index: number | undefined; byKey: boolean }>({ index: undefined, byKey: false });
  if (!extent) return html`<div class="chart-none"><${Empty} icon="chart" title=${t.none} /></div>`;
  const say = (value: number) => readingText(info, String(value));
  const [low, mean, high] = [say(extent.low), say(extent.mean), say(extent.high)];
  const index = at.index ?? -1;
  const looked = columns[1][index];
  const band = columns[2][index] === columns[3][index] ? '' : ` (${say(columns[2][index] ?? 0)} – ${say(columns[3][index] ?? 0)})`;
  const readout = typeof looked === 'number' ? `${dateTimeText((columns[0][index] ?? 0) * 1000)}: ${say(looked)}${band}` : '\u00a0';
  return html`
    <p class="chart-readout" aria-live=${at.byKey ? 'polite' : 'off'}>${readout}</p>
    <${Chart}
      columns=${columns}
      fromMs=${firstMs}
      toMs=${toMs}
      label=${`${t.summary(info.name, low, high, mean)}. ${t.keys}`}
      onPoint=${(next: number | undefined, byKey: boolean) => setAt({ index: next, byKey })}
    />
    <dl class="chart-facts">
      <div><dt>${t.lowest}</dt><dd>${low}</dd></div>
      <div><dt>${t.mean}</dt><dd>${mean}</dd></div>
      <div><dt>${t.highest}</dt><dd>${high}</dd></div>
    </dl>
  `;
}

function WordHistory({ property, asked }: PartProps): VNode {
  const t = words('dashboard').chart;
  const changes = useMemo(() => changesOf(asked.points), [asked.points]);
  if (changes.length === 0) return html`<div class="chart-none"><${Empty} icon="chart" title=${t.none} /></div>`;
  return html`
    <div class="chart-changes" tabindex="0" role="region" aria-label=${t.value}>
      <table>
        <thead><tr><th scope="col">${t.when}</th><th scope="col">${t.value}</th></tr></thead>
        <tbody>
          ${changes.map(({ timeMs, value }) => html`<tr key=${timeMs}><td>${dateTimeText(timeMs)}</td><td>${readingText(property.info.value, value)}</td></tr>`)}
        </tbody>
      </table>
    </div>
  `;
}

function PropertyHistory({ property }: { property: PropertyModel }): VNode {
  const { api } = useBox();
  const t = words('dashboard').chart;
  const [span, setSpan] = useState<Span>('day');
  const { thing } = property;
  const info = property.info.value;
  const { node, property: id } = info;
  const number = isNumber(info);
  const loader = useLoad<Asked>(
    async (signal) => {
      const toMs = api.boxNow();
      const fromMs = toMs - SPANS[span].ms;
      const query = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), points: POINTS };
      const params = { thing, node, property: id };
      // what was never recorded has no history, and that is no fault
      const points = await api.server.history({ params, query, signal }).then(
        (answer) => answer.points,
        (error: unknown) => {
          if ((error as { code?: string }).code === 'not-found') return [];
          throw error;
        },
      );
      return { points, fromMs, toMs };
    },
    [api, thing, node, id, span],
  );
  useEffect(() => {
    const timer = setInterval(() => document.hidden || void loader.load(), SPANS[span].againMs);
    return () => clearInterval(timer);
  }, [loader, span]);
  const csv = `/api/server/history/${thing}/${node}/${id}/csv?from=${encodeURIComponent(new Date(api.boxNow() - SPANS[span].ms).toISOString())}`;
  return html`
    <div class="chart-head">
      <p class="chart-now"><${Reading} property=${property} /><${Age} timeMs=${property.timeMs} /></p>
      <${Segments} label=${t.span} value=${span} options=${Object.entries(t.spans)} onChoose=${setSpan} />
    </div>
    <div class=${number ? 'chart-place' : 'chart-place words'}>
      <${Show} of=${loader} rows=${1} height=${number ? '18.75rem' : '12rem'}>
        ${(asked: Asked) => (number ? html`<${NumberHistory} property=${property} asked=${asked} />` : html`<${WordHistory} property=${property} asked=${asked} />`)}
      <//>
    </div>
    <div class="buttons"><a class="button" href=${csv} download=${`${thing}-${id}.csv`}><${Icon} name="download" />${t.csv}</a></div>
  `;
}

/** The history of the value that the path names, over the dashboard. */
export default function History(): VNode {
  const { live } = useBox();
  const t = words('dashboard').chart;
  const found = useComputed(() => {
    const [, , id, ...key] = path.value.split('/');
    const thing = live.things.list.value.find((one) => one.id === id);
    const property = thing?.properties.value.find((one) => one.key === key.join('/'));
    return thing && property && { thing, property };
  });
  const { thing, property } = found.value ?? {};
  const title = property ? `${thing?.name.value} · ${property.info.value.name}` : words('shell').loading;
  return html`
    <${Dialog} title=${title} wide onClose=${() => leave('/')}>
      ${property ? html`<${PropertyHistory} key=${path.value} property=${property} />` : live.complete.value && html`<${Empty} icon="chart" title=${t.unknown} />`}
    <//>
  `;
}
