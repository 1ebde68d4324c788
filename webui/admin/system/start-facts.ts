import type { MachineView } from '@ledge/contract';
import type { VNode } from 'preact';
import { spanText } from '../../client/format.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import { Fact } from './box-facts.ts';

function watchdogText({ hardware, timeoutS }: NonNullable<MachineView['watchdog']>): string | undefined {
  const t = words('system').start;
  if (timeoutS === undefined) return hardware;
  return hardware ? t.watchdogOf(hardware, spanText(timeoutS)) : t.watchdogAfter(spanText(timeoutS));
}

/** Both copies of the system, why this one runs, and what guards it. Only card images have them. */
export function StartFacts({ view }: { view: MachineView }): VNode | null {
  const t = words('system').start;
  const { slots = [], slot, reason, data, watchdog } = view;
  const shown = slots.length > 0 ? slots : slot ? [{ name: slot, running: true, good: true, version: view.version }] : [];
  const guard = watchdog && watchdogText(watchdog);
  if (shown.length === 0 && !reason && !data && !guard) return null;
  return html`
    <section class="panel" aria-labelledby="start-title">
      <div class="panel-head"><h2 id="start-title">${t.title}</h2></div>
      <div class="panel-body">
        ${
          shown.length > 0 &&
          html`
            <ul class="slots">
              ${shown.map(
                ({ name, running, good, version }) => html`
                  <li key=${name} class=${running ? 'slot running' : 'slot'}>
                    <p><strong>${t.slot(name)}</strong>${running && html`<span class="badge">${t.runs}</span>`}</p>
                    <p class=${`told ${good ? 'good' : 'warn'}`}><${Icon} name=${good ? 'check' : 'warning'} /><span>${good ? t.good : t.bad}${version && ` · ${version}`}</span></p>
                  </li>
                `,
              )}
            </ul>
            ${slots.length > 1 && html`<p class="soft">${t.slots}</p>`}
          `
        }
        <dl class="facts-grid">
          <${Fact} label=${t.reason}>${reason && (t.reasons[reason] ?? reason)}<//>
          <${Fact} label=${t.data}>${data && (t.datas[data] ?? data)}<//>
          <${Fact} label=${t.watchdog}>${guard}<//>
        </dl>
      </div>
    </section>
  `;
}
