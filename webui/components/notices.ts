import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { words } from '../words/words.ts';
import { html } from './html.ts';
import { Icon } from './icons.ts';
import { problemText } from './problem-text.ts';

interface Notice {
  id: number;
  text: string;
  kind: 'good' | 'bad';
  undo?: () => void;
}
const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 6000;
const WITH_UNDO_MS = 12_000;
let lastId = 0;

const dismiss = (id: number) => {
  notices.value = notices.peek().filter((notice) => notice.id !== id);
};

function show(notice: Omit<Notice, 'id'>): void {
  lastId += 1;
  const id = lastId;
  notices.value = [...notices.peek().slice(-2), { ...notice, id }];
  // what went wrong stays until it was read
  if (notice.kind === 'good') setTimeout(() => dismiss(id), notice.undo ? WITH_UNDO_MS : SHOWN_MS);
}

/** Says that something was done, and how to take it back. */
export const notify = (text: string, undo?: () => void): void => show({ text, kind: 'good', ...(undo ? { undo } : {}) });
/** Says why something was not done. */
export const notifyProblem = (error: unknown): void => show({ text: problemText(error), kind: 'bad' });

/** Where they are shown; once per page. */
export function Notices(): VNode {
  const t = words('shell');
  return html`
    <div class="notices" role="status" aria-live="polite">
      ${notices.value.map(
        ({ id, text, kind, undo }) => html`
          <p key=${id} class=${`notice ${kind}`}>
            <${Icon} name=${kind === 'good' ? 'check' : 'warning'} /><span>${text}</span>
            ${
              undo &&
              html`<button type="button" class="link" onClick=${() => {
                dismiss(id);
                undo();
              }}>${t.undo}</button>`
            }
            <button type="button" class="plain" aria-label=${t.dismiss} onClick=${() => dismiss(id)}><${Icon} name="close" /></button>
          </p>
        `,
      )}
    </div>
  `;
}
