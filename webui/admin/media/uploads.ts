import { type Signal, signal } from '@preact/signals';
import type { VNode } from 'preact';
import { bytesText, percentText } from '../../client/format.ts';
import { upload } from '../../client/upload.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { problemText } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';

interface Upload {
  readonly id: number;
  readonly file: File;
  readonly share: Signal<number>;
  readonly state: Signal<'waiting' | 'sending' | 'done' | 'failed'>;
  readonly error: Signal<unknown>;
  readonly stop: AbortController;
}

/** Also while another page is shown: what was begun goes on. */
const uploads = signal<readonly Upload[]>([]);
let lastId = 0;
let running = false;

const forget = (one: Upload): void => {
  one.stop.abort();
  uploads.value = uploads.peek().filter((other) => other !== one);
};

/** Sends files one after the other: a card writes one of them faster than several at a time. */
async function run(onStored: () => void): Promise<void> {
  if (running) return;
  running = true;
  for (;;) {
    const next = uploads.peek().find(({ state }) => state.peek() === 'waiting');
    if (!next) break;
    const { file, state, share, error, stop } = next;
    state.value = 'sending';
    try {
      const type = file.type.startsWith('audio/') ? file.type : 'application/octet-stream';
      const onProgress = (done: number) => {
        share.value = done;
      };
      await upload(`/api/media/library/${encodeURIComponent(file.name)}`, file, { method: 'PUT', type, onProgress, signal: stop.signal });
      state.value = 'done';
      onStored();
      forget(next);
    } catch (problem) {
      error.value = problem;
      state.value = 'failed';
    }
  }
  running = false;
}

/** Puts files in the row of those that are sent. */
export function addUploads(files: readonly File[], onStored: () => void): void {
  const added = files.map((file): Upload => {
    lastId += 1;
    return { id: lastId, file, share: signal(0), state: signal('waiting'), error: signal(undefined), stop: new AbortController() };
  });
  uploads.value = [...uploads.peek(), ...added];
  void run(onStored);
}

/** How far each file is, and why one was not taken. */
export function Uploads(): VNode | null {
  const t = words('media').uploads;
  const list = uploads.value;
  if (list.length === 0) return null;
  return html`
    <section class="panel" aria-label=${t.title}>
      <ul class="rows">${list.map((one) => html`<${Row} key=${one.id} one=${one} />`)}</ul>
    </section>
  `;
}

function Row({ one }: { one: Upload }): VNode {
  const t = words('media').uploads;
  const { file, share, state, error } = one;
  const failed = state.value === 'failed';
  // all bytes have gone, and the box looks whether it is sound
  const checking = state.value === 'sending' && share.value >= 1;
  return html`
    <li class="item upload" data-failed=${failed ? 'yes' : undefined}>
      <div class="grow">
        <span class="track-title">${file.name}</span>
        ${
          failed
            ? html`<p class="soft bad" role="alert"><${Icon} name="warning" />${problemText(error.value)}</p>`
            : html`
                <progress max="1" value=${share.value} aria-label=${t.progress(file.name)}></progress>
                <p class="soft">${state.value === 'waiting' ? t.waiting : checking ? t.checking : `${percentText(share.value)} · ${bytesText(file.size)}`}</p>
              `
        }
      </div>
      <button type="button" class="plain" aria-label=${failed ? t.dismiss(file.name) : t.stop(file.name)} onClick=${() => forget(one)}><${Icon} name="close" /></button>
    </li>
  `;
}
