import type { ActionView } from '@ledge/contract';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { FieldSchema } from '../../client/json-schema.ts';
import { useBox } from '../../components/box.ts';
import { confirmed, Dialog } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { fieldProblems } from '../../components/problem-text.ts';
import { type Draft, readDraft, SchemaFields } from '../../components/schema-form.ts';
import { words } from '../../words/words.ts';

type Run = (body?: Record<string, unknown>) => Promise<void>;

/** What an action wants to know, before it runs. */
function ActionDialog({ action, run, onClose }: { action: ActionView; run: Run; onClose: () => void }): VNode {
  const t = words('services').actions;
  const schema = action.input as FieldSchema;
  const [draft, setDraft] = useState<Draft>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const read = readDraft(schema, draft);
    setErrors(read.errors);
    if (Object.keys(read.errors).length > 0) return;
    setBusy(true);
    try {
      await run(read.values);
      onClose();
    } catch (error) {
      setErrors(fieldProblems(error));
    } finally {
      setBusy(false);
    }
  };
  const defaults = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, field]) => [key, field.default]));
  return html`
    <${Dialog} title=${action.title} onClose=${onClose}>
      ${action.confirm && html`<p>${action.confirm}</p>`}
      <form class="dialog-form" novalidate onSubmit=${(event: Event) => void submit(event)}>
        <${SchemaFields} schema=${schema} values=${defaults} draft=${draft} errors=${errors} onDraft=${setDraft} />
        ${errors[''] && html`<p class="field-note bad" role="alert"><${Icon} name="warning" /><span>${errors['']}</span></p>`}
        <div class="buttons">
          <button type="button" onClick=${onClose}>${words('shell').cancel}</button>
          <button class=${action.confirm ? 'danger' : 'primary'} disabled=${busy}>${busy ? t.running : t.run}</button>
        </div>
      </form>
    <//>
  `;
}

/** Things that a service can be asked to do; nothing is shown when there are none. */
export function ServiceActions({ name, instance }: { name: string; instance: string | undefined }): VNode | null {
  const { api } = useBox();
  const t = words('services').actions;
  const actions = useLoad((signal) => api.of(name).actions({ signal }), [name]);
  const [asked, setAsked] = useState<ActionView>();
  const [running, setRunning] = useState<string>();
  const [result, setResult] = useState<{ action: string; text: string }>();
  useEffect(() => {
    if (actions.error.peek() !== undefined) void actions.load();
  }, [instance]);
  const runOf = ({ name: action, title }: ActionView): Run => {
    return async (body = {}) => {
      setRunning(action);
      setResult(undefined);
      try {
        const answer = await api.of(name).act(action, body);
        if (answer.result !== undefined && answer.result !== null && typeof answer.result !== 'boolean') {
          const text = typeof answer.result === 'string' ? answer.result : JSON.stringify(answer.result, undefined, 2);
          setResult({ action, text });
        }
        notify(t.done(title));
      } finally {
        setRunning(undefined);
      }
    };
  };
  const start = async (action: ActionView) => {
    if (action.input) return setAsked(action);
    if (action.confirm && !(await confirmed({ title: action.title, text: action.confirm, action: t.run, danger: true }))) return;
    await runOf(action)().catch(notifyProblem);
  };
  const list = actions.content.value ?? [];
  if (list.length === 0) return null;
  return html`
    <section class="panel" aria-labelledby="actions-title">
      <div class="panel-head"><h2 id="actions-title">${t.title}</h2></div>
      <ul class="rows">
        ${list.map(
          (action) => html`
            <li key=${action.name}>
              <span class="grow">${action.title}</span>
              <button type="button" aria-label=${`${t.run}: ${action.title}`} disabled=${running !== undefined} onClick=${() => void start(action)}>
                ${running === action.name ? t.running : t.run}${action.input ? '…' : ''}
              </button>
              ${result?.action === action.name && html`<pre class="action-result verbatim" tabindex="0" aria-label=${t.result}>${result.text}</pre>`}
            </li>
          `,
        )}
      </ul>
      ${asked && html`<${ActionDialog} action=${asked} run=${runOf(asked)} onClose=${() => setAsked(undefined)} />`}
    </section>
  `;
}
