import { signal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { words } from '../words/words.ts';
import { html } from './html.ts';
import { Icon } from './icons.ts';

interface DialogProps {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children?: ComponentChildren;
}

/** A window over the page: keeps the keyboard in it, closes with Escape, and gives the focus back. */
export function Dialog({ title, onClose, wide = false, children }: DialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return html`
    <dialog ref=${dialog} class=${wide ? 'dialog wide' : 'dialog'} aria-labelledby=${titleId} onCancel=${cancel}>
      <header class="dialog-head">
        <h2 id=${titleId}>${title}</h2>
        <button type="button" class="plain" aria-label=${words('shell').close} onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      <div class="dialog-body">${children}</div>
    </dialog>
  `;
}

interface Question {
  title: string;
  text: string;
  /** What the button says that does it. */
  action: string;
  danger?: boolean;
}
const asked = signal<(Question & { answer: (yes: boolean) => void }) | undefined>(undefined);

/** Asks before something is done that matters. Resolves to what was answered. */
export function confirmed(question: Question): Promise<boolean> {
  asked.peek()?.answer(false);
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (yes) => {
        asked.value = undefined;
        resolve(yes);
      },
    };
  });
}

/** Where questions of {@link confirmed} are shown; once per page. */
export function Questions(): VNode | null {
  const question = asked.value;
  if (!question) return null;
  const { title, text, action, danger, answer } = question;
  return html`
    <${Dialog} key=${title} title=${title} onClose=${() => answer(false)}>
      <p>${text}</p>
      <div class="buttons">
        <button type="button" onClick=${() => answer(false)}>${words('shell').cancel}</button>
        <button type="button" class=${danger ? 'danger' : 'primary'} onClick=${() => answer(true)}>${action}</button>
      </div>
    <//>
  `;
}
