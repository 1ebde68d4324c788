import type { MachineAct } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { words } from '../../words/words.ts';
import { Away } from '../away.ts';
import { BoxFacts } from './box-facts.ts';
import { Condition } from './condition.ts';
import { Doctor } from './doctor.ts';
import { Power } from './power.ts';
import { StartFacts } from './start-facts.ts';
import '../../styles/system.css';

const REFRESH_EVERY_MS = 10_000;

/** The machine below the services: how it fares, whether all is as it should be, and its switch. */
export default function SystemPage(): VNode {
  const { api } = useBox();
  const t = words('system');
  const machine = useLoad((signal) => api.server.machine({ signal }));
  const leaving = useSignal<MachineAct | undefined>(undefined);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && !leaving.peek()) void machine.load();
    }, REFRESH_EVERY_MS);
    return () => clearInterval(timer);
  }, [machine, leaving]);
  return html`
    <h1>${t.title}</h1>
    <${Show} of=${machine} rows=${2} height="12rem">
      ${(view: NonNullable<typeof machine.content.value>) => html`
        <${BoxFacts} view=${view} onChanged=${(next: typeof view) => {
          machine.content.value = next;
        }} />
        <${Condition} view=${view} />
        <${StartFacts} view=${view} />
      `}
    <//>
    <${Doctor} />
    <section class="panel" aria-labelledby="diagnosis-title">
      <div class="panel-head">
        <h2 id="diagnosis-title">${t.diagnosis.title}</h2>
        <a class="button" href="/api/server/machine/diagnosis" download><${Icon} name="download" />${t.diagnosis.download}</a>
        <p class="soft">${t.diagnosis.text}</p>
      </div>
    </section>
    ${
      machine.content.value &&
      html`<${Power} can=${machine.content.value.can} onAsked=${(act: MachineAct) => {
        leaving.value = act;
      }} />`
    }
    ${leaving.value && html`<${Away} reason=${leaving.value} />`}
  `;
}
