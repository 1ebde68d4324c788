import type { Radio } from '@ledge/contract';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { freeId, idOf } from '../../client/ids.ts';
import { useBox } from '../../components/box.ts';
import { Dialog } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { fieldProblems } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';
import type { Player } from './player-state.ts';

/** Stored stations. */
export function Radios({ player, playing }: { player: Player; playing: string | undefined }): VNode {
  const { api } = useBox();
  const t = words('media').radios;
  const loader = useLoad((signal) => api.media.radios({ signal }));
  const [edited, setEdited] = useState<Radio | 'new'>();
  const save = async ({ id, name, url }: Radio) => {
    await api.media.saveRadio({ params: { id }, body: { name, url } });
    await loader.load();
  };
  const remove = async (radio: Radio) => {
    try {
      await api.media.removeRadio({ params: { id: radio.id } });
      notify(t.removed(radio.name), () => void save(radio).catch(notifyProblem));
    } catch (error) {
      notifyProblem(error);
    }
    void loader.load();
  };
  return html`
    <${Show} of=${loader} rows=${3}>
      ${(radios: Radio[]) => html`
        <section class="panel" aria-label=${t.title}>
          <div class="panel-head">
            <p class="soft">${t.count(radios.length)}</p>
            <button type="button" onClick=${() => setEdited('new')}><${Icon} name="plus" />${t.add}</button>
          </div>
          ${radios.length === 0 && html`<${Empty} icon="globe" title=${t.none}><p>${t.noneText}</p><//>`}
          <ul class="rows">
            ${radios.map(
              (radio) => html`
                <li key=${radio.id} class=${radio.url === playing ? 'item current' : 'item'}>
                  <button type="button" class="track" onClick=${() => void player.act(() => api.media.playRadio({ params: { id: radio.id } }))}>
                    <span class="track-title"><span class="visually-hidden">${t.playWord} </span>${radio.name}</span>
                    <span class="soft">${radio.url}</span>
                  </button>
                  <span class="row-buttons">
                    <button type="button" class="plain" aria-label=${t.change(radio.name)} title=${t.change(radio.name)} onClick=${() => setEdited(radio)}><${Icon} name="pencil" /></button>
                    <button type="button" class="plain" aria-label=${t.remove(radio.name)} title=${words('shell').remove} onClick=${() => void remove(radio)}><${Icon} name="trash" /></button>
                  </span>
                </li>
              `,
            )}
          </ul>
        </section>
        ${edited && html`<${RadioDialog} radio=${edited === 'new' ? undefined : edited} taken=${new Set(radios.map(({ id }) => id))} onSave=${save} onClose=${() => setEdited(undefined)} />`}
      `}
    <//>
  `;
}

interface RadioDialogProps {
  radio: Radio | undefined;
  taken: ReadonlySet<string>;
  onSave: (radio: Radio) => Promise<void>;
  onClose: () => void;
}

function RadioDialog({ radio, taken, onSave, onClose }: RadioDialogProps): VNode {
  const t = words('media').radios;
  const shell = words('shell');
  const [name, setName] = useState(radio?.name ?? '');
  const [url, setUrl] = useState(radio?.url ?? '');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const { name: nameProblem, url: urlProblem, ...others } = fieldProblems(error);
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onSave({ id: radio?.id ?? freeId(idOf(name) || 'radio', taken), name: name.trim(), url: url.trim() });
      notify(t.saved(name.trim()));
      onClose();
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title=${radio ? t.changeTitle : t.add} onClose=${onClose}>
      <form class="stack" onSubmit=${save} novalidate>
        <${TextField} label=${t.name} value=${name} onInput=${setName} error=${nameProblem} maxlength="100" autocomplete="off" />
        <${TextField} label=${t.url} type="url" value=${url} onInput=${setUrl} error=${urlProblem ?? Object.values(others)[0]} hint=${t.urlHint} placeholder="http://" autocomplete="off" spellcheck=${false} />
        <div class="buttons">
          <button type="button" onClick=${onClose}>${shell.cancel}</button>
          <button type="submit" class="primary" disabled=${busy || name.trim() === '' || url.trim() === ''}>${shell.save}</button>
        </div>
      </form>
    <//>
  `;
}
