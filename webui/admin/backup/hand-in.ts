import type { CheckedBackup } from '@ledge/contract';
import type { VNode } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { percentText } from '../../client/format.ts';
import { ApiProblem } from '../../client/problem.ts';
import { upload } from '../../client/upload.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Meter } from '../../components/meter.ts';
import { problemText } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';

const TYPE = 'application/vnd.ledge.backup';

/** Takes a file from the person to the box, which checks it. */
export function HandIn({ onChecked }: { onChecked: (checked: CheckedBackup) => void }): VNode {
  const { session } = useBox();
  const t = words('backup').restore;
  const id = useId();
  const sending = useRef<AbortController | undefined>(undefined);
  const [sent, setSent] = useState<{ name: string; share: number }>();
  const [error, setError] = useState<unknown>();
  const [over, setOver] = useState(false);
  useEffect(() => () => sending.current?.abort(), []);
  const send = async (file: File | undefined) => {
    if (!file || sent) return;
    const controller = new AbortController();
    sending.current = controller;
    setError(undefined);
    setSent({ name: file.name, share: 0 });
    try {
      const onProgress = (share: number) => setSent({ name: file.name, share });
      const checked = await upload<CheckedBackup>('/api/server/backup/check', file, { type: TYPE, onProgress, signal: controller.signal });
      onChecked(checked);
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === 'not-signed-in') session.ended();
      if (!controller.signal.aborted) setError(problem);
    } finally {
      setSent(undefined);
    }
  };
  if (sent) {
    return html`
      <div class="panel-body" aria-live="polite">
        <${Meter} label=${sent.share < 1 ? t.sending(sent.name) : t.checking} share=${sent.share} level="good" text=${percentText(sent.share)} />
        <div class="backup-go"><button type="button" onClick=${() => sending.current?.abort()}>${t.cancel}</button></div>
      </div>
    `;
  }
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer?.files[0]);
  };
  const dragged = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return html`
    <div class="panel-body">
      <div class="drop-place" data-over=${over ? 'yes' : undefined} onDragOver=${dragged} onDragLeave=${() => setOver(false)} onDrop=${dropped}>
        <input
          class="visually-hidden"
          id=${id}
          type="file"
          accept=".ledge,application/octet-stream"
          aria-describedby=${error === undefined ? undefined : `${id}-error`}
          onChange=${(event: Event) => {
            const input = event.target as HTMLInputElement;
            void send(input.files?.[0]);
            input.value = '';
          }}
        />
        <label class="button" for=${id}><${Icon} name="upload" />${t.choose}</label>
        <span class="soft drop-hint">${t.drop}</span>
      </div>
      ${error !== undefined && html`<p class="field-note bad" id=${`${id}-error`} role="alert"><${Icon} name="warning" /><span>${problemText(error)}</span></p>`}
    </div>
  `;
}
