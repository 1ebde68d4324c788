import type { TrialReading } from '@ledge/contract';
import type { VNode } from 'preact';
import { numberText } from '../../client/format.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import type { Draft } from './draft.ts';

const shown = ({ value, unit }: TrialReading): string => {
  const { on, off } = words('shell');
  const text = typeof value === 'number' ? numberText(value) : typeof value === 'boolean' ? (value ? on : off) : String(value);
  return unit ? `${text}\u00a0${unit}` : text;
};

/** What a thing said when it was tried out, and how to try it. */
export function TrialPanel({ draft, thing }: { draft: Draft; thing: string }): VNode {
  const t = words('things').trial;
  const trial = draft.trial.value;
  const testing = draft.busy.value === 'testing';
  const mistakes = draft.mistakes.value.length;
  return html`
    <section class="panel" aria-labelledby="trial-title">
      <div class="panel-head">
        <h2 id="trial-title">${t.title}</h2>
        <button type="button" disabled=${draft.busy.value !== undefined} onClick=${() => void draft.test(thing)}><${Icon} name="play" />${testing ? t.testing : t.test}</button>
      </div>
      <div role="status" aria-live="polite">
        ${
          trial
            ? html`<ul class="rows">${trial.readings.map((reading) => html`<${Row} key=${`${reading.node}/${reading.property}`} reading=${reading} />`)}</ul>`
            : html`<p class="panel-text soft">${testing ? t.wait : mistakes > 0 ? t.mistakesFirst : t.lead}</p>`
        }
      </div>
    </section>
  `;
}

function Row({ reading }: { reading: TrialReading }): VNode {
  const { name, node, property, fault, tookMs } = reading;
  const own = node === 'main' ? property : `${node}/${property}`;
  return html`
    <li class="reading-row">
      <div class="grow">
        <span>${name}</span>
        <p class="soft">${name !== own && `${own} · `}${words('things').trial.took(tookMs)}</p>
        ${fault !== null && html`<p class="soft bad"><${Icon} name="warning" />${fault}</p>`}
      </div>
      ${fault === null && html`<span class="reading-value">${shown(reading)}</span>`}
    </li>
  `;
}
