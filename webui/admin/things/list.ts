import type { ThingFileView, ThingView } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ThingModel } from '../../client/things.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Show, useLoad, useReloadOn } from '../../components/load.ts';
import { SearchField } from '../../components/search-field.ts';
import { words } from '../../words/words.ts';
import { changes, enable } from './acts.ts';

const EVENTS = ['thing-added', 'thing-changed', 'thing-removed', 'thing-invalid', 'sensor-failed', 'sensor-recovered'];
/** From here on a list is searched rather than read. */
const SEARCHED = 8;
const hrefOf = (thing: string) => `/admin/things/${encodeURIComponent(thing)}`;

interface Content {
  things: readonly ThingView[];
  files: readonly ThingFileView[];
}

/** All things, and before them the files that are none because of a mistake. */
export function ThingList(): VNode {
  const { api } = useBox();
  const t = words('things');
  const loader = useLoad<Content>(async (signal) => {
    const [things, files] = await Promise.all([api.device.things({ signal }), api.device.files({ signal })]);
    return { things, files };
  });
  useReloadOn(loader, EVENTS);
  const { value: count } = changes;
  useEffect(() => {
    if (count > 0) void loader.load();
  }, [count, loader]);
  return html`
    <div class="page-head">
      <h1>${t.title}</h1>
      <a class="button primary" href="/admin/things/new"><${Icon} name="plus" />${t.add}</a>
    </div>
    <${Show} of=${loader} rows=${4}>${(content: Content) => html`<${Lists} ...${content} />`}<//>
  `;
}

function Lists({ things, files }: Content): VNode {
  const { live } = useBox();
  const t = words('things');
  const search = useSignal('');
  const faulty = files.filter(({ fault }) => fault);
  // a file that never was a thing is told above
  const broken = new Set(faulty.map(({ thing }) => thing));
  const real = things.filter(({ id, properties }) => properties.length > 0 || !broken.has(id));
  const models = new Map(live.things.list.value.map((model) => [model.id, model]));
  const wanted = search.value.trim().toLowerCase();
  const shown = [...real]
    .sort((a, b) => a.name.localeCompare(b.name))
    .filter(({ id, name, driver, room = '' }) => [id, name, driver, room].some((text) => text.toLowerCase().includes(wanted)));
  return html`
    ${faulty.length > 0 && html`<${Faulty} files=${faulty} known=${new Set(real.map(({ id }) => id))} />`}
    ${
      real.length === 0 && faulty.length === 0
        ? html`<${Empty} icon="chip" title=${t.empty.title}><p>${t.empty.text}</p><a class="button primary" href="/admin/things/new"><${Icon} name="plus" />${t.add}</a><//>`
        : html`
            <section class="panel" aria-label=${t.title}>
              ${real.length >= SEARCHED && html`<div class="panel-head"><${SearchField} label=${t.search} value=${search} /></div>`}
              <ul class="rows things">
                ${shown.map((view) => html`<${Row} key=${view.id} view=${view} model=${models.get(view.id)} />`)}
              </ul>
              ${shown.length === 0 && html`<p class="panel-text soft">${t.noneFound}</p>`}
            </section>
          `
    }
  `;
}

function Faulty({ files, known }: { files: readonly ThingFileView[]; known: ReadonlySet<string> }): VNode {
  const t = words('things');
  return html`
    <section class="panel faulty" aria-labelledby="faulty-title">
      <div class="panel-head"><h2 id="faulty-title"><${Icon} name="warning" />${t.faulty(files.length)}</h2></div>
      <ul class="rows">
        ${files.map(
          ({ file, thing, fault }) => html`
            <li key=${file}>
              <div class="grow">
                <a class="thing-name" href=${hrefOf(thing)}>${file.split('/').pop()}</a>
                <p class="soft bad">${fault?.line !== undefined && html`<strong>${t.editor.line(fault.line)}: </strong>`}${fault?.message}</p>
                ${known.has(thing) && html`<p class="soft">${t.oldGoesOn}</p>`}
              </div>
              <a class="button" href=${hrefOf(thing)}><${Icon} name="pencil" />${t.correct}</a>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

function Row({ view, model }: { view: ThingView; model: ThingModel | undefined }): VNode {
  const box = useBox();
  const t = words('things');
  const { id, name, driver, room, enabled, properties } = view;
  const state = enabled ? (model?.state.value ?? view.state) : 'off';
  const faults = faultsOf(view, model);
  return html`
    <li data-off=${enabled ? undefined : 'yes'}>
      <span class=${`dot ${faults.length > 0 && state === 'ready' ? 'degraded' : state}`}></span>
      <div class="grow">
        <a class="thing-name" href=${hrefOf(id)}>${name}</a>
        <p class="soft facts">${[t.states[state], room, driver, t.values(properties.length)].filter(Boolean).join(' · ')}</p>
        ${faults.map((fault) => html`<p class="soft bad" key=${fault}><${Icon} name="warning" />${fault}</p>`)}
      </div>
      ${
        view.file === null
          ? html`<span class="soft">${t.builtIn}</span>`
          : html`
              <button type="button" role="switch" class="switch" aria-checked=${enabled} aria-label=${t.inUse(name)} title=${t.inUse(name)} onClick=${() => void enable(box, id, name, !enabled)}>
                <span class="thumb"></span>
              </button>
            `
      }
      <${Icon} name="right" />
    </li>
  `;
}

/** What is wrong with a thing, each sentence once. */
export function faultsOf(view: ThingView, model: ThingModel | undefined): string[] {
  if (!view.enabled) return [];
  const ofProperties = model
    ? model.properties.value.map(({ fault, info }) => fault.value && `${info.value.name}: ${fault.value}`)
    : view.properties.map(({ name, fault }) => fault && `${name}: ${fault}`);
  const whole = model ? model.faults.value : [view.fault];
  return [...new Set([...whole, ...ofProperties].filter((fault): fault is string => Boolean(fault)))];
}
