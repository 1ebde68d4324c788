import type { MachineAct } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { confirmed, Dialog } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notifyProblem } from '../../components/notices.ts';
import { problemText } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';

const ICONS = { reboot: 'restart', 'power-off': 'power', 'factory-reset': 'trash' } as const;

/** Deletes everything, so it is not done by two clicks: the box's id must be typed. */
function FactoryResetDialog({ onAsked, onClose }: { onAsked: () => void; onClose: () => void }): VNode {
  const { api, session } = useBox();
  const t = words('system').power['factory-reset'];
  const id = session.edge.value;
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (typed.trim() !== id) return setError(t.differs);
    setBusy(true);
    try {
      await api.server.factoryReset({ body: { confirm: id } });
      onAsked();
    } catch (problem) {
      setError(problemText(problem));
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title=${t.ask} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${(event: Event) => void submit(event)}>
        <p>${t.text}</p>
        <${TextField} label=${t.id} hint=${t.type(id)} error=${error} value=${typed} onInput=${setTyped} autocomplete="off" autocapitalize="off" spellcheck=${false} />
        <div class="buttons">
          <button type="button" onClick=${onClose}>${words('shell').cancel}</button>
          <button class="danger" disabled=${busy}>${t.doIt}</button>
        </div>
      </form>
    <//>
  `;
}

/** What can be asked of the machine as a whole; nothing where it can do nothing. */
export function Power({ can, onAsked }: { can: readonly MachineAct[]; onAsked: (act: MachineAct) => void }): VNode | null {
  const { api } = useBox();
  const t = words('system').power;
  const [resetting, setResetting] = useState(false);
  if (can.length === 0) return null;
  const start = async (act: MachineAct) => {
    if (act === 'factory-reset') return setResetting(true);
    const { ask: title, text, action } = t[act];
    if (!(await confirmed({ title, text, action, danger: true }))) return;
    await (act === 'reboot' ? api.server.reboot() : api.server.powerOff()).then(() => onAsked(act)).catch(notifyProblem);
  };
  const resetAsked = () => {
    setResetting(false);
    onAsked('factory-reset');
  };
  return html`
    <section class="panel" aria-labelledby="power-title">
      <div class="panel-head"><h2 id="power-title">${t.title}</h2></div>
      <ul class="rows">
        ${can.map(
          (act) => html`
            <li key=${act}>
              <span class="grow"><strong>${t[act].title}</strong><br /><span class="soft">${t[act].text}</span></span>
              <button type="button" class=${act === 'factory-reset' ? 'warning-button' : undefined} onClick=${() => void start(act)}><${Icon} name=${ICONS[act]} />${t[act].action}</button>
            </li>
          `,
        )}
      </ul>
      ${resetting && html`<${FactoryResetDialog} onAsked=${resetAsked} onClose=${() => setResetting(false)} />`}
    </section>
  `;
}
