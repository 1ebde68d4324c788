import type { deviceApi, Got } from '@ledge/contract';
import { ID_PATTERN } from '@ledge/contract/topics.ts';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useReducer, useState } from 'preact/hooks';
import { freeId, idOf } from '../../client/ids.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { notify } from '../../components/notices.ts';
import { go } from '../../router.ts';
import { words } from '../../words/words.ts';
import { changed } from './acts.ts';
import { DriverChoice, StartChoice } from './choices.ts';
import { useDraft } from './draft.ts';
import { Editor } from './editor.ts';
import { TrialPanel } from './trial.ts';
import { topValue, withTopValue } from './yaml.ts';

export type DriverView = Got<(typeof deviceApi)['drivers']>[number];
interface Content {
  drivers: readonly DriverView[];
  taken: ReadonlySet<string>;
  rooms: readonly string[];
}

/** Adding a thing: what it hangs on, what it begins with, what it is called, and its file before it is kept. */
export function NewThing(): VNode {
  const { api } = useBox();
  const t = words('things');
  const loader = useLoad<Content>(async (signal) => {
    const [drivers, things, files] = await Promise.all([
      api.device.drivers({ signal }),
      api.device.things({ signal }),
      api.device.files({ signal }),
    ]);
    const rooms = [...new Set(things.flatMap(({ room }) => room ?? []))].sort((a, b) => a.localeCompare(b));
    return {
      drivers,
      rooms,
      taken: new Set([
        ...things.filter(({ file }) => file !== null).map(({ id }) => id),
        ...files.map(({ thing }) => thing),
        'media',
        'new',
      ]),
    };
  });
  return html`
    <a class="back" href="/admin/things"><${Icon} name="left" />${t.title}</a>
    <div class="page-head"><h1>${t.newThing.title}</h1></div>
    <${Show} of=${loader} rows=${3} height="8rem">${(content: Content) => html`<${Form} ...${content} />`}<//>
  `;
}

function Form({ drivers, taken, rooms }: Content): VNode {
  const t = words('things').newThing;
  const [driver, setDriver] = useState<DriverView>();
  const [start, setStart] = useState(-1);
  const id = useSignal('');
  const ownId = useSignal(false);
  const given = useSignal('');
  const draft = useDraft('', '');
  const [, drawAgain] = useReducer((count: number) => count + 1, 0);
  const { value: yaml } = draft.text;

  const begin = async (next: DriverView, at: number) => {
    const own = yaml.trim() !== '' && yaml !== given.peek();
    // the browser shows what was pressed as chosen, until it is drawn again
    if (own && !(await confirmed({ title: t.replaceTitle, text: t.replaceText, action: t.replace }))) return drawAgain(undefined);
    const template = next.found[at]?.yaml ?? next.template;
    const room = topValue(yaml, 'room');
    const text = room ? withTopValue(template, 'room', room, 'driver') : template;
    setDriver(next);
    setStart(at);
    take(text);
    if (!ownId.peek()) id.value = freeId(idOf(topValue(text, 'name') ?? next.name) || next.name, taken);
  };
  const take = (text: string) => {
    given.value = text;
    draft.replace(text);
  };
  const setTop = (key: string, value: string, after?: string) => {
    const text = withTopValue(draft.text.peek(), key, value, after);
    if (draft.text.peek() === given.peek()) given.value = text;
    draft.text.value = text;
    draft.edited();
  };
  const setName = (name: string) => {
    setTop('name', name);
    if (!ownId.peek()) id.value = freeId(idOf(name), taken);
  };
  const save = async () => {
    if (idFault || !(await draft.save(id.peek()))) return;
    changed();
    notify(t.added(topValue(draft.text.peek(), 'name') ?? id.peek()));
    go(`/admin/things/${id.peek()}`);
  };

  const idFault = taken.has(id.value) ? t.idTaken : ID_PATTERN.test(id.value) && id.value.length <= 64 ? undefined : t.idWanted;
  const { value: busy } = draft.busy;
  return html`
    <${DriverChoice} drivers=${drivers} chosen=${driver?.name} onChoose=${(next: DriverView) => void begin(next, next.found.length > 0 ? 0 : -1)} />
    ${
      driver &&
      html`
        ${driver.found.length > 0 && html`<${StartChoice} found=${driver.found} chosen=${start} onChoose=${(at: number) => void begin(driver, at)} />`}
        <section class="panel" aria-labelledby="called-title">
          <div class="panel-head"><h2 id="called-title">${t.called}</h2></div>
          <div class="panel-body three">
            <${TextField} label=${t.name} value=${topValue(yaml, 'name') ?? ''} maxlength="100" onInput=${setName} />
            <${TextField} label=${t.room} value=${topValue(yaml, 'room') ?? ''} maxlength="100" list="rooms" hint=${t.roomHint} onInput=${(room: string) => setTop('room', room, 'driver')} />
            <datalist id="rooms">${rooms.map((room) => html`<option key=${room} value=${room}></option>`)}</datalist>
            <${TextField}
              label=${t.id}
              value=${id.value}
              maxlength="64"
              spellcheck=${false}
              autocapitalize="off"
              hint=${t.idHint}
              error=${idFault}
              onInput=${(text: string) => {
                ownId.value = text !== '';
                id.value = text;
              }}
            />
          </div>
        </section>
        <div class="thing-file">
          <section class="panel">
            <div class="panel-body">
              <${Editor} label=${words('things').file} text=${draft.text} mistakes=${draft.mistakes.value} inPlace=${draft.fresh.value} onEdit=${() => draft.edited()} onSave=${() => void save()} />
              <div class="buttons">
                <button type="button" class="primary" disabled=${busy !== undefined || idFault !== undefined} onClick=${() => void save()}>
                  <${Icon} name="plus" />${busy === 'saving' ? words('shell').saving : t.keep}
                </button>
              </div>
            </div>
          </section>
          <${TrialPanel} draft=${draft} thing=${idFault ? 'new-thing' : id.value} />
        </div>
      `
    }
  `;
}
