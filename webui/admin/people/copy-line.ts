import type { VNode } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';

/** Boxes are reached by plain HTTP, where browsers keep the clipboard from pages; the old way still works. */
async function copy(field: HTMLTextAreaElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
}

/** A text to take along, with a button that copies it. */
export function CopyLine({ label, text }: { label: string; text: string }): VNode {
  const t = words('people').tokens;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState(false);
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <div class="copy-line">
        <textarea id=${id} ref=${field} readonly rows=${Math.ceil(text.length / 40)} value=${text} onFocus=${() => field.current?.select()}></textarea>
        <button type="button" aria-label=${`${t.copy}: ${label}`} onClick=${async () => setCopied(field.current !== null && (await copy(field.current)))}>
          <${Icon} name=${copied ? 'check' : 'copy'} /><span role="status">${copied ? t.copied : t.copy}</span>
        </button>
      </div>
    </div>
  `;
}
