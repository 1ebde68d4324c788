import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { bytesText, numberText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Show, useLoad } from '../../components/load.ts';
import { usePoll } from '../../components/poll.ts';
import { SearchField } from '../../components/search-field.ts';
import { words } from '../../words/words.ts';

const EVERY_MS = 5000;
/** A rate needs a second answer. */
const SECOND_MS = 1500;
type Values = Record<string, number | string>;
interface Polled {
  values: Values;
  atMs: number;
  before: { values: Values; atMs: number } | undefined;
}

const isBytes = (name: string) => name.includes('bytes') || name.startsWith('heap/');
const shown = (name: string, value: number | string): string =>
  typeof value === 'string' ? value : isBytes(name) && !name.startsWith('load/') ? bytesText(value) : numberText(value);

/** How much a counter grew in a second between two answers; undefined while there is one only, or when the broker began anew. */
export function ratePerS({ values, atMs, before }: Polled, name: string): number | undefined {
  const [now, then] = [values[name], before?.values[name]];
  if (typeof now !== 'number' || typeof then !== 'number' || !before || atMs <= before.atMs || now < then) return undefined;
  return ((now - then) * 1000) / (atMs - before.atMs);
}

/** What the broker counts: the important ones large, all of them below. */
export function Counters(): VNode {
  const { api } = useBox();
  const last = useSignal<Polled | undefined>(undefined);
  const loader = useLoad<Polled>(async (signal) => {
    const values = await api.broker.counters({ signal });
    const before = last.peek();
    const polled: Polled = { values, atMs: performance.now(), before: before && { values: before.values, atMs: before.atMs } };
    last.value = polled;
    return polled;
  });
  usePoll(loader, EVERY_MS, SECOND_MS);
  return html`<${Show} of=${loader} rows=${2} height="10rem">${(polled: Polled) => html`<${Figures} polled=${polled} /><${All} values=${polled.values} />`}<//>`;
}

function Figures({ polled }: { polled: Polled }): VNode {
  const t = words('mqtt').counters;
  const { values } = polled;
  const count = (name: string) => shown(name, values[name] ?? '–');
  const rate = (name: string) => {
    const perS = ratePerS(polled, name);
    return perS === undefined
      ? '–'
      : isBytes(name)
        ? bytesText(perS)
        : numberText(perS < 10 ? Math.round(perS * 10) / 10 : Math.round(perS));
  };
  const figures = [
    [t.clients, count('clients/connected'), t.ofAtMost(count('clients/maximum'))],
    [t.in, t.perS(rate('publish/messages/received')), t.total(count('publish/messages/received'))],
    [t.out, t.perS(rate('publish/messages/sent')), t.total(count('publish/messages/sent'))],
    [t.bytesIn, t.perS(rate('bytes/received')), t.total(count('bytes/received'))],
    [t.bytesOut, t.perS(rate('bytes/sent')), t.total(count('bytes/sent'))],
    [t.retained, count('retained messages/count'), t.subscriptions(count('subscriptions/count'))],
    [t.dropped, count('publish/messages/dropped'), t.waiting(count('queued/bytes'))],
    [t.refused, count('connections/refused'), t.limited(count('connections/limited'))],
  ] as const;
  return html`
    <dl class="figures">
      ${figures.map(([name, value, note]) => html`<div key=${name} class="figure"><dt>${name}</dt><dd><span class="figure-value">${value}</span><span class="soft">${note}</span></dd></div>`)}
    </dl>
  `;
}

function All({ values }: { values: Values }): VNode {
  const t = words('mqtt').counters;
  const search = useSignal('');
  const wanted = search.value.trim().toLowerCase();
  const rows = Object.entries(values).filter(([name]) => name.toLowerCase().includes(wanted));
  return html`
    <section class="panel" aria-labelledby="all-title">
      <div class="panel-head"><h2 id="all-title">${t.all}</h2><${SearchField} label=${t.search} value=${search} /></div>
      <table class="counters">
        <thead><tr><th scope="col">${t.name}</th><th scope="col" class="number">${t.value}</th></tr></thead>
        <tbody>${rows.map(([name, value]) => html`<tr key=${name}><th scope="row"><code>${name}</code></th><td class="number">${shown(name, value)}</td></tr>`)}</tbody>
      </table>
    </section>
  `;
}
