import type { CheckState, DoctorCheck, DoctorReport } from '@ledge/contract';
import type { VNode } from 'preact';
import { hourText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { words } from '../../words/words.ts';

/** What needs somebody first. The last two are folded up: there is nothing to do about them. */
const GROUPS: readonly CheckState[] = ['fault', 'warning', 'ok', 'skipped'];
const MARKS = { fault: ['bad', 'warning'], warning: ['warn', 'warning'], ok: ['good', 'check'], skipped: ['soft', 'hide'] } as const;

function Check({ check }: { check: DoctorCheck }): VNode {
  const t = words('system').doctor;
  const [tone, icon] = MARKS[check.state];
  return html`
    <li class="check">
      <span class=${`check-mark ${tone}`}><${Icon} name=${icon} /></span>
      <div class="grow">
        <p><strong>${check.title}</strong> <span class="check-seen">${check.seen}</span></p>
        ${check.wanted && html`<p class="soft">${t.wanted(check.wanted)}</p>`}
        ${check.hint && html`<p class="check-hint">${check.hint}</p>`}
      </div>
    </li>
  `;
}

function Report({ report }: { report: DoctorReport }): VNode {
  const t = words('system').doctor;
  const of = (state: CheckState) => report.checks.filter((check) => check.state === state);
  const [tone, icon] = MARKS[report.state];
  return html`
    <div class=${`verdict ${tone}`}>
      <${Icon} name=${icon} />
      <p><strong>${t.states[report.state]}</strong><span>${t.summary(of('fault').length, of('warning').length, of('ok').length)}</span></p>
    </div>
    ${GROUPS.map((state) => {
      const checks = of(state);
      if (checks.length === 0) return null;
      const list = html`<ul class="rows">${checks.map((check) => html`<${Check} key=${check.name} check=${check} />`)}</ul>`;
      if (state === 'fault' || state === 'warning') return html`<div key=${state}>${list}</div>`;
      return html`<details key=${state} class="fold"><summary><${Icon} name="right" />${t.groups[state]} (${checks.length})</summary>${list}</details>`;
    })}
  `;
}

/** Is everything as it should be? Faults first, each with what to do. */
export function Doctor(): VNode {
  const { api } = useBox();
  const t = words('system').doctor;
  const report = useLoad((signal) => api.server.doctor({ signal }));
  const { content, busy } = report;
  return html`
    <section class="panel" aria-labelledby="doctor-title" aria-busy=${busy.value}>
      <div class="panel-head">
        <h2 id="doctor-title">${t.title}</h2>
        <span class="head-tools">
          <span class="soft">${content.value && t.seenAt(hourText(Date.parse(content.value.time)))}</span>
          <button type="button" disabled=${busy.value} onClick=${() => void report.load()}><${Icon} name="restart" />${busy.value ? t.checking : t.again}</button>
        </span>
      </div>
      <${Show} of=${report} rows=${1} height="9rem">
        ${(content: DoctorReport) => html`<${Report} report=${content} />`}
      <//>
    </section>
  `;
}
