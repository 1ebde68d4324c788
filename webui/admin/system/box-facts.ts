import type { MachineView } from '@ledge/contract';
import { useComputed } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { language, spanText } from '../../client/format.ts';
import { ApiProblem } from '../../client/problem.ts';
import { useNow } from '../../components/age.ts';
import { useBox } from '../../components/box.ts';
import { Dialog } from '../../components/dialog.ts';
import { SelectField, TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { fieldProblems, problemText } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';

/** A fact, if the machine tells it. */
export const Fact = ({
  label,
  note,
  children,
}: {
  label: string;
  note?: string | undefined;
  children?: ComponentChildren;
}): VNode | null =>
  children === undefined || children === ''
    ? null
    : html`<div><dt>${label}</dt><dd>${children}${note && html`<span class="soft fact-note">${note}</span>`}</dd></div>`;

/** What time it is where the box is. */
function BoxTime({ timeZone }: { timeZone: string | undefined }): VNode {
  const now = useNow();
  const text = useComputed(() => {
    const how: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short', ...(timeZone ? { timeZone } : {}) };
    return new Intl.DateTimeFormat(language.value, how).format(now.value);
  });
  return html`<span>${text}</span>`;
}

/** Runs on between two answers of the box. */
function Uptime({ view }: { view: MachineView }): VNode {
  const now = useNow();
  const text = useComputed(() => {
    const sinceMs = view.time ? now.value - Date.parse(view.time) : 0;
    return spanText(view.uptimeS + Math.max(0, sinceMs) / 1000);
  });
  return html`<span>${text}</span>`;
}

const zonesWith = (own: string): string[] => {
  const known = Intl.supportedValuesOf('timeZone');
  return known.includes(own) ? known : [own, ...known];
};

/** Problems of the whole, said beside the field that caused them. */
const FIELD_OF: Record<string, string> = { 'locked-by-environment': 'name', 'not-supported': 'timeZone', 'not-allowed': 'timeZone' };

function IdentityDialog({
  view,
  onChanged,
  onClose,
}: {
  view: MachineView;
  onChanged: (view: MachineView) => void;
  onClose: () => void;
}): VNode {
  const { api, session } = useBox();
  const t = words('system').identity;
  const [name, setName] = useState(view.name ?? '');
  const [timeZone, setTimeZone] = useState(view.timeZone ?? '');
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const save = async (event: Event) => {
    event.preventDefault();
    const wish = {
      ...(name.trim() === view.name ? {} : { name: name.trim() }),
      ...(timeZone === (view.timeZone ?? '') ? {} : { timeZone }),
    };
    if (Object.keys(wish).length === 0) return onClose();
    setBusy(true);
    try {
      const next = await api.server.changeIdentity({ body: wish });
      if (next.name) session.boxName.value = next.name;
      onChanged(next);
      notify(t.saved);
      onClose();
    } catch (error) {
      const field = error instanceof ApiProblem ? FIELD_OF[error.code] : undefined;
      const problems = field ? { [field]: problemText(error) } : fieldProblems(error);
      setErrors(problems);
      if (problems['']) notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title=${t.title} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${(event: Event) => void save(event)}>
        <${TextField} label=${t.name} hint=${t.nameHint} error=${errors.name} value=${name} onInput=${setName} required maxlength="64" autocomplete="off" />
        ${
          view.timeZone !== undefined &&
          html`<${SelectField} label=${t.timeZone} error=${errors.timeZone} value=${timeZone} options=${zonesWith(view.timeZone).map((zone) => [zone, zone.replaceAll('_', ' ')])} onInput=${setTimeZone} />`
        }
        <div class="buttons">
          <button type="button" onClick=${onClose}>${words('shell').cancel}</button>
          <button class="primary" disabled=${busy}>${busy ? words('shell').saving : words('shell').save}</button>
        </div>
      </form>
    <//>
  `;
}

/** Which box this is, what runs on it and since when. */
export function BoxFacts({ view, onChanged }: { view: MachineView; onChanged: (view: MachineView) => void }): VNode {
  const { session } = useBox();
  const t = words('system').box;
  const [changing, setChanging] = useState(false);
  const { synchronized } = view.clock ?? {};
  return html`
    <section class="panel" aria-labelledby="box-title">
      <div class="panel-head">
        <h2 id="box-title">${t.title}</h2>
        <button type="button" onClick=${() => setChanging(true)}><${Icon} name="pencil" />${t.change}</button>
      </div>
      <div class="panel-body">
        <dl class="facts-grid">
          <${Fact} label=${t.name}>${view.name}<//>
          <${Fact} label=${t.id}>${session.edge.value}<//>
          <${Fact} label=${view.model ? t.model : t.machine}>${view.model ?? t.machines[view.machine] ?? view.machine}<//>
          <${Fact} label=${t.version} note=${view.commit?.slice(0, 9)}>${view.version}<//>
          <${Fact} label=${t.uptime}><${Uptime} view=${view} /><//>
          <${Fact} label=${t.time} note=${synchronized === undefined ? undefined : synchronized ? t.synchronized : t.notSynchronized}>
            <${BoxTime} timeZone=${view.timeZone} />
          <//>
          <${Fact} label=${t.timeZone}>${view.timeZone?.replaceAll('_', ' ')}<//>
          <${Fact} label=${t.host}>${view.host}<//>
          <${Fact} label=${t.system}>${view.system}<//>
        </dl>
      </div>
      ${changing && html`<${IdentityDialog} view=${view} onChanged=${onChanged} onClose=${() => setChanging(false)} />`}
    </section>
  `;
}
