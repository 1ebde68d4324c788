import type { ThingView } from '@ledge/contract';
import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../../client/problem.ts';
import type { PropertyModel } from '../../client/things.ts';
import { Age } from '../../components/age.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Failed, Ghosts, useLoad, useReloadOn } from '../../components/load.ts';
import { notify } from '../../components/notices.ts';
import { readingText } from '../../components/value-text.ts';
import { go } from '../../router.ts';
import { words } from '../../words/words.ts';
import { changed, changes, enable, remove } from './acts.ts';
import { useDraft } from './draft.ts';
import { Editor } from './editor.ts';
import { faultsOf } from './list.ts';
import { TrialPanel } from './trial.ts';
import { topValue } from './yaml.ts';

interface Content {
  view: ThingView | undefined;
  /** Undefined for a thing that is built in and has no file yet. */
  yaml: string | undefined;
}

const orNot = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (error instanceof ApiProblem && (error.code === 'not-found' || error.code === 'invalid-value')) return undefined;
    throw error;
  });

/** One thing: what it says now, and the file behind it. */
export function EditThing({ thing }: { thing: string }): VNode {
  const { api } = useBox();
  const t = words('things');
  const loader = useLoad<Content>(
    async (signal) => {
      const params = { thing };
      const [view, file] = await Promise.all([orNot(api.device.thing({ params, signal })), orNot(api.device.readFile({ params, signal }))]);
      return { view, yaml: file?.yaml };
    },
    [thing],
  );
  useReloadOn(loader, ['thing-added', 'thing-changed', 'thing-removed', 'thing-invalid']);
  const { value: count } = changes;
  useEffect(() => {
    if (count > 0) void loader.load();
  }, [count, loader]);
  const content = loader.content.value;
  return html`
    <a class="back" href="/admin/things"><${Icon} name="left" />${t.title}</a>
    ${
      content === undefined
        ? loader.error.value === undefined
          ? html`<${Ghosts} rows=${3} height="8rem" />`
          : html`<${Failed} error=${loader.error.value} onRetry=${() => void loader.load()} />`
        : content.view === undefined && content.yaml === undefined
          ? html`<${Empty} icon="chip" title=${t.gone(thing)}><a class="button" href="/admin/things">${t.toList}</a><//>`
          : html`<${Thing} thing=${thing} view=${content.view} yaml=${content.yaml} />`
    }
  `;
}

function Thing({ thing, view, yaml }: Content & { thing: string }): VNode {
  const box = useBox();
  const t = words('things');
  const model = box.live.things.list.value.find(({ id }) => id === thing);
  const state = view && t.states[view.enabled ? (model?.state.value ?? view.state) : 'off'];
  // of a file that never could be used the box knows no name
  const name = view && view.properties.length > 0 ? view.name : (topValue(yaml ?? '', 'name') ?? thing);
  const [busy, setBusy] = useState(false);
  const removeIt = async () => {
    if (!(await confirmed({ title: t.removeTitle(name), text: t.removeText, action: words('shell').remove, danger: true }))) return;
    setBusy(true);
    if (await remove(box, thing, name)) go('/admin/things');
    setBusy(false);
  };
  return html`
    <div class="page-head">
      <div>
        <h1>${name}</h1>
        <p class="soft">${[state, `${thing}.yaml`, view?.driver, view?.room].filter(Boolean).join(' · ')}</p>
      </div>
      ${
        yaml !== undefined &&
        html`
          <div class="buttons">
            ${view && html`<button type="button" onClick=${() => void enable(box, thing, name, !view.enabled)}><${Icon} name="power" />${view.enabled ? t.disable : t.enable}</button>`}
            <button type="button" disabled=${busy} onClick=${() => void removeIt()}><${Icon} name="trash" />${words('shell').remove}</button>
          </div>
        `
      }
    </div>
    <div class="thing-parts">
      ${
        yaml === undefined
          ? html`<section class="panel"><p class="panel-text">${t.builtInText(thing)}</p></section>`
          : html`<${FilePanel} thing=${thing} yaml=${yaml} />`
      }
      ${view && html`<${NowPanel} view=${view} />`}
    </div>
  `;
}

function FilePanel({ thing, yaml }: { thing: string; yaml: string }): VNode {
  const t = words('things');
  const draft = useDraft(yaml);
  useEffect(() => draft.keptElsewhere(yaml), [draft, yaml]);
  const save = async () => {
    if (!(await draft.save(thing))) return;
    notify(t.saved(topValue(draft.text.peek(), 'name') ?? thing));
    changed();
  };
  const { value: busy } = draft.busy;
  return html`
    <div class="thing-file">
      <section class="panel">
        <div class="panel-body">
          <${Editor}
            label=${t.file}
            text=${draft.text}
            mistakes=${draft.mistakes.value}
            inPlace=${draft.fresh.value}
            onEdit=${() => draft.edited()}
            onSave=${() => void save()}
          />
          ${draft.overtaken.value && html`<p class="field-note bad" role="alert"><${Icon} name="warning" /><span>${t.overtaken}</span></p>`}
          <div class="buttons">
            ${draft.changed && html`<button type="button" disabled=${busy !== undefined} onClick=${() => draft.replace(yaml)}>${t.discard}</button>`}
            <button type="button" class="primary" disabled=${busy !== undefined || !draft.changed} onClick=${() => void save()}>
              ${busy === 'saving' ? words('shell').saving : words('shell').save}
            </button>
          </div>
        </div>
      </section>
      <${TrialPanel} draft=${draft} thing=${thing} />
    </div>
  `;
}

/** What the thing says now, live. */
function NowPanel({ view }: { view: ThingView }): VNode {
  const { live } = useBox();
  const t = words('things');
  const model = live.things.list.value.find(({ id }) => id === view.id);
  const faults = faultsOf(view, model);
  return html`
    <section class="panel thing-now" aria-labelledby="now-title">
      <div class="panel-head"><h2 id="now-title">${t.now}</h2></div>
      ${faults.length > 0 && html`<ul class="rows">${faults.map((fault) => html`<li key=${fault} class="bad"><${Icon} name="warning" /><span class="grow">${fault}</span></li>`)}</ul>`}
      ${
        view.enabled && model
          ? html`<ul class="rows">${model.properties.value.map((property) => html`<${NowRow} key=${property.key} property=${property} />`)}</ul>`
          : html`<p class="panel-text soft">${view.enabled ? t.silent : t.offText}</p>`
      }
    </section>
  `;
}

function NowRow({ property }: { property: PropertyModel }): VNode {
  const info = property.info.value;
  const text = useComputed(() => readingText(info, property.payload.value ?? '') || '–');
  return html`
    <li class="reading-row">
      <div class="grow"><span>${info.name}</span><${Age} timeMs=${property.timeMs} /></div>
      <span class="reading-value">${text}</span>
    </li>
  `;
}
