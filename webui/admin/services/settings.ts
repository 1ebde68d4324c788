import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { FieldSchema } from '../../client/json-schema.ts';
import type { ServiceModel } from '../../client/services.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { fieldProblems } from '../../components/problem-text.ts';
import { type Draft, errorOf, readDraft, SchemaFields } from '../../components/schema-form.ts';
import { words } from '../../words/words.ts';
import { restartService } from './service.ts';

const NOTHING: Draft = {};

/** Asks before the page is left with changes that were not saved. */
function useLeaveWarning(changed: boolean): void {
  useEffect(() => {
    if (!changed) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [changed]);
}

/** The settings of a service, as its own schema says; only what was changed is sent. */
export function ServiceSettings({ service }: { service: ServiceModel }): VNode {
  const box = useBox();
  const t = words('services').settings;
  const { name, instance } = service;
  const settings = useLoad((signal) => box.api.of(name).settings({ signal }), [name]);
  const [draft, setDraft] = useState<Draft>(NOTHING);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [saving, setSaving] = useState(false);
  const changes = Object.keys(draft).length;
  useLeaveWarning(changes > 0);
  useEffect(() => {
    // another process: what it runs with may differ
    if (settings.content.peek() !== undefined || settings.error.peek() !== undefined) void settings.load();
  }, [instance, service.state]);

  const discard = () => {
    setDraft(NOTHING);
    setErrors({});
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const view = settings.content.peek();
    if (!view) return;
    const read = readDraft(view.schema as FieldSchema, draft);
    setErrors(read.errors);
    if (Object.keys(read.errors).length > 0) return focusFirstFault();
    setSaving(true);
    try {
      const next = await box.api.of(name).changeSettings({ body: read.values });
      settings.content.value = next;
      setDraft(NOTHING);
      notify(next.restartNeeded ? t.savedRestart : t.savedNow);
    } catch (error) {
      const problems = fieldProblems(error);
      setErrors(problems);
      const known = Object.keys(draft).some((key) => errorOf(problems, key));
      if (known) focusFirstFault();
      else notifyProblem(error);
    } finally {
      setSaving(false);
    }
  };

  return html`
    <section class="panel" aria-labelledby="settings-title">
      <div class="panel-head"><h2 id="settings-title">${t.title}</h2></div>
      <${Show} of=${settings} rows=${4} height="4.5rem">
        ${({ schema, values, sources, restartNeeded }: NonNullable<typeof settings.content.value>) => html`
          ${
            restartNeeded &&
            html`
              <div class="restart-needed" role="status">
                <${Icon} name="restart" /><p>${t.restartNeeded}</p>
                <button type="button" disabled=${service.restarting} onClick=${() => void restartService(box, service)}>${t.restartNow}</button>
              </div>
            `
          }
          ${
            Object.keys((schema as FieldSchema).properties ?? {}).length === 0
              ? html`<p class="panel-body soft">${t.none}</p>`
              : html`
                  <form novalidate onSubmit=${(event: Event) => void save(event)}>
                    <${SchemaFields} schema=${schema} values=${values} sources=${sources} draft=${draft} errors=${errors} onDraft=${setDraft} />
                    ${
                      changes > 0 &&
                      html`
                        <div class="save-bar">
                          <p role="status">${t.changes(changes)}</p>
                          <div class="buttons">
                            <button type="button" onClick=${discard}>${t.discard}</button>
                            <button class="primary" disabled=${saving}>${saving ? words('shell').saving : words('shell').save}</button>
                          </div>
                        </div>
                      `
                    }
                  </form>
                `
          }
        `}
      <//>
    </section>
  `;
}

function focusFirstFault(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('.setting [aria-invalid="true"]')?.focus());
}
