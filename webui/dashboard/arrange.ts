import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { words } from '../words/words.ts';
import '../styles/arrange.css';
import { useDrag } from './drag.ts';
import { type Arrangement, type Group, groupsOf, isHidden, isPlayer, moved, nameOf, tileId, toggled } from './groups.ts';
import { IconButton } from './icon-button.ts';
import { ScreenDialog } from './screen-dialog.ts';

interface RowProps {
  group: Group;
  at: number;
  of: number;
  draft: Arrangement;
  dragged: boolean;
  onDragStart: (event: PointerEvent) => void;
  onMove: (to: number) => void;
  onToggle: (id: string) => void;
}

function Row({ group, at, of, draft, dragged, onDragStart, onMove, onToggle }: RowProps): VNode {
  const t = words('dashboard').arrange;
  const [open, setOpen] = useState(false);
  const name = nameOf(group);
  const properties = group.kind === 'thing' && !isPlayer(group.thing) ? group.thing.properties.value : [];
  const hidden = isHidden(draft, group.id);
  const shown = properties.filter((property) => !isHidden(draft, tileId(property))).length;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    onMove(at + (event.key === 'ArrowUp' ? -1 : 1));
  };
  const eye = (id: string, what: string, off: boolean) => html`
    <${IconButton} icon=${off ? 'hide' : 'eye'} label=${off ? t.show(what) : t.hide(what)} onClick=${() => onToggle(id)} />
  `;
  return html`
    <li data-id=${group.id} data-hidden=${hidden ? 'yes' : undefined} data-dragged=${dragged ? 'yes' : undefined}>
      <div class="arrange-row">
        <button type="button" class="plain handle" aria-label=${t.drag(name)} onPointerDown=${onDragStart} onKeyDown=${onKeyDown}><${Icon} name="drag" /></button>
        ${
          properties.length > 0
            ? html`<button type="button" class="arrange-name" aria-expanded=${open} onClick=${() => setOpen(!open)}>
                <span>${name}</span><span class="soft">${t.values(shown, properties.length)}</span>
              </button>`
            : html`<span class="arrange-name"><span>${name}</span></span>`
        }
        <${IconButton} icon="up" label=${t.up(name)} disabled=${at === 0} onClick=${() => onMove(at - 1)} />
        <${IconButton} icon="down" label=${t.down(name)} disabled=${at === of - 1} onClick=${() => onMove(at + 1)} />
        ${eye(group.id, name, hidden)}
      </div>
      ${
        open &&
        html`<ul class="arrange-values">
          ${properties.map((property) => {
            const id = tileId(property);
            const what = property.info.value.name;
            const off = isHidden(draft, id);
            return html`<li key=${id} data-hidden=${off ? 'yes' : undefined}><span>${what}</span>${eye(id, what, off)}</li>`;
          })}
        </ul>`
      }
    </li>
  `;
}

/** The dashboard as a list: put into order by dragging, with buttons or with keys; each part shown or hidden. Kept when it is done. */
export default function Arrange({ onDone }: { onDone: () => void }): VNode {
  const { live, preferences, changePreferences, isAdmin } = useBox();
  const t = words('dashboard').arrange;
  const draft = useSignal(preferences.peek().dashboard);
  const told = useSignal('');
  const [screenOpen, setScreenOpen] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const groups = useComputed(() => groupsOf(live.things.list.value, live.services.list.value, draft.value.order)).value;
  const ids = groups.map(({ id }) => id);
  useEffect(() => title.current?.focus(), []);

  const move = (from: number, to: number) => {
    const group = groups[from];
    if (!group || to < 0 || to >= ids.length) return;
    // what is away now keeps its place for when it is back
    const away = draft.value.order.filter((id) => !ids.includes(id));
    draft.value = { ...draft.value, order: [...moved(ids, from, to), ...away] };
    told.value = t.moved(nameOf(group), to + 1, ids.length);
  };
  const drag = useDrag(list, move);
  const done = async () => {
    await changePreferences({ dashboard: draft.value });
    onDone();
  };
  return html`
    <div class="arrange">
      <div class="section-head">
        <h1 tabindex="-1" ref=${title}>${t.title}</h1>
        <div class="buttons"><button type="button" onClick=${onDone}>${t.cancel}</button><button type="button" class="primary" onClick=${done}>${t.done}</button></div>
      </div>
      <p class="soft">${t.lead}</p>
      ${isAdmin && html`<button type="button" class="to-screen" onClick=${() => setScreenOpen(true)}><${Icon} name="screen" />${t.screen}</button>`}
      ${screenOpen && html`<${ScreenDialog} onClose=${() => setScreenOpen(false)} />`}
      <ul
        class="arrange-list"
        ref=${list}
        onPointerMove=${drag.onPointerMove}
        onPointerUp=${drag.onPointerUp}
        onPointerCancel=${drag.onPointerCancel}
      >
        ${groups.map(
          (group, at) => html`
            <${Row}
              key=${group.id}
              group=${group}
              at=${at}
              of=${groups.length}
              draft=${draft.value}
              dragged=${drag.dragged === group.id}
              onDragStart=${drag.start(group.id)}
              onMove=${(to: number) => move(at, to)}
              onToggle=${(id: string) => {
                draft.value = { ...draft.value, hidden: toggled(draft.value.hidden, id) };
              }}
            />
          `,
        )}
      </ul>
      <p class="visually-hidden" role="status">${told}</p>
    </div>
  `;
}
